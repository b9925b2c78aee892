"""Experiments that are ready to run: the tables of papers, and the demos."""
