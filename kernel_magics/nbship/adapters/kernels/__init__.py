"""Kernels found, and notebooks executed in them through papermill."""
