"""Comparison of the outputs of two executions of one notebook: what is noise, what has changed."""
