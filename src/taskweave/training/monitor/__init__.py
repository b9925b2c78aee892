"""The monitor of negative transfer."""
