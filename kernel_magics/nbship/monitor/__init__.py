"""Production, pure: where baselines, drift and the ledger of model debt belong; empty yet."""
