"""Experiments that are ready to run: one file per table of a paper, and the demo."""
