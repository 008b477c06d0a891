"""Production, pure: baselines; drift and the ledger of model debt belong here too."""
