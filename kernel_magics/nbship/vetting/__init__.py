"""Test, pure: a dossier to a verdict; one gate module per family."""
