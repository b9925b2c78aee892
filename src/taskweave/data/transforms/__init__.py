"""What a sample goes through, its labels with it."""
