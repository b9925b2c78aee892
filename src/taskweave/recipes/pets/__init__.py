"""The Pet paper: Multitask learning in image recognition, segmentation, and classification."""
