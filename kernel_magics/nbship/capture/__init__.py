"""Design, pure: cell events to a run, and the run in a few words."""
