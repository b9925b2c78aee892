"""From the choices of a recipe to data sets, tasks and networks."""
