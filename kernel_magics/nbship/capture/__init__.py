"""Design, pure: cell events to a run, and what differs between two runs."""
