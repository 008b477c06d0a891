"""Where runs are mirrored."""
