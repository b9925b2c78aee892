"""Networks on ResNets."""
