"""Parts of ``benchmarks/jobs.py``: the notebooks, the peers, and what their outputs are."""
