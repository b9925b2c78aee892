"""Indoor scenes: NYUv2 in its published forms."""
