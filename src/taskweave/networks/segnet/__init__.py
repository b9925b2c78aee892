"""SegNet and the networks made of it."""
