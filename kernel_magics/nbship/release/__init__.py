"""Production, pure: a live root to its closure, module text and bundle layout."""
