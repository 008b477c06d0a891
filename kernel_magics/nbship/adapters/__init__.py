"""Adapters: each fulfils a port and knows one foreign library."""
