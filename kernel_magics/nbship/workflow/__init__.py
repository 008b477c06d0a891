"""Use cases: the only place where a stage and a port meet."""
