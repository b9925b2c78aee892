"""Kawakami et al., Cross-connected networks for multi-task learning of detection and segmentation."""
