"""What is asked of machine, repository and linter."""
