"""The closed sets that a recipe chooses from: data, tasks, network, start and methods."""
