"""Wheels, seals, bundles and fresh environments."""
