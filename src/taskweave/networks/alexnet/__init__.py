"""Networks on AlexNet."""
