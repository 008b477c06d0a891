"""Test, pure: the typed parameter contract, its values, and planning."""
