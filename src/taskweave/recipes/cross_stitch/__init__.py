"""Misra et al., Cross-stitch networks for multi-task learning."""
