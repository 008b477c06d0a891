"""What all tests share."""

import os

# jobs of tests start no process that locks the whole environment; tests of locks ask for it
os.environ.setdefault("MLOPS_JOB_LOCK", "on-demand")
