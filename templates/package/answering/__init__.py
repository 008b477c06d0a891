"""What ``predict`` takes and gives, and what answers: its author's code, or a faster equal."""
