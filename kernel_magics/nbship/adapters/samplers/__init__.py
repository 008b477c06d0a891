"""Searches that learn from what earlier points gave."""
