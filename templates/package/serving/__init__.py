"""``python -m PACKAGE serve``: everything that answers over HTTP, and nothing else."""
