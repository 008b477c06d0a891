"""Notebooks read, prepared for an attempt, and rendered."""
