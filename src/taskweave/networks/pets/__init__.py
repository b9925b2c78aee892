"""The networks of the pet paper."""
