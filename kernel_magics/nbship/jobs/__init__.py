"""Test, pure: the typed parameter contract, planning, the status table."""
