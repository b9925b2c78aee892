"""Networks on VGG-16."""
