"""Kernels found."""
