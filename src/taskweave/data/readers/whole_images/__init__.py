"""Image-level labels: pets and faces."""
