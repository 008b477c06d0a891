"""The servers that benchmarks/serving.py compares."""
