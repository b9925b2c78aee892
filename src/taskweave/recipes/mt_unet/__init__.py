"""Joint semantic segmentation and depth with a multi-task U-Net (Paper Id 5178)."""
