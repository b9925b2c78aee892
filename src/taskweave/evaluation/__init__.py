"""Experiments as data, runs of them, and runs as a table."""
