"""Captured values to files without pickle."""
