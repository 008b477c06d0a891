"""Facts: frozen records of the standard library, their ids, digests and JSON."""
