"""Notebooks read and written."""
