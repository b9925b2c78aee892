"""Rows of recipes as people write them."""

from typing import Any

from taskweave.experiments.methods.row import Row


def written(row: Row) -> dict[str, Any]:
    """A row as JSON; one that meets through a unit, or is a joint network, has the options of that on its own level."""
    found = row.dump()
    inner = {"connected": "unit", "joint": "network"}.get(found["use"])
    return found if inner is None else {**{k: v for k, v in found.items() if k != inner}, **found[inner]}
