"""Production, pure: baselines and drift; later issues fill it."""
