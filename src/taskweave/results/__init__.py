"""How sure a comparison is: gains with their intervals, and a verdict in words."""
