"""Sweeps: one thing of a recipe varied, everything else as it is, beside the single-task networks.

A sweep is a comparison of another recipe, so its runs are stored, shared and resumed like any others.
"""
