"""Where and in which order runs are trained: one at a time here, several processes, a Ray cluster."""
