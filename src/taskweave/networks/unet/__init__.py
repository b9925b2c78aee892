"""U-Nets of one and of several tasks."""
