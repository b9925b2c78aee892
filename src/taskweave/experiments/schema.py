"""The JSON schema of recipes, for editors: every part of every kind with its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from taskweave.experiments.config import Around
from taskweave.experiments.data import Source
from taskweave.experiments.methods.method import Method
from taskweave.experiments.methods.row import Row
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.tasks import TaskEntry
from taskweave.parts import KINDS, known
from taskweave.parts.described import json_schema, schema_of, with_references
from taskweave.units.unit import Unit
from taskweave.weaving.connected import Connected

OWN = {"type": "string", "pattern": ":"}
"""``my_nets.py:unet`` or ``my_package.nets:unet``."""


def recipe_schema() -> dict[str, Any]:
    """The schema of a recipe's YAML, draft 2020-12. A part of one's own may have any options; the recipe checks them."""
    schema = Recipe.model_json_schema(schema_generator=json_schema())
    defs = schema["$defs"]
    for kind, said in KINDS.items():
        defs[said.name.replace(" ", "_")] = _any_of(_parts(known(kind)))
    for around in (Source, TaskEntry):
        defs[around.__name__] = _any_of(_parts(known(around.kind()), _beside(around, defs)))
    defs["TaskEntry"]["anyOf"].append({"type": "object", "not": {"required": ["use"]}})  # a task named as its part
    defs["Row"] = _any_of(_rows(_beside(Row, defs)))
    found: dict[str, Any] = with_references(schema)
    return found


def _beside(around: type[Around], defs: Mapping[str, Any]) -> dict[str, Any]:
    """What is said on the level of a part's options and is not the part."""
    return {name: one for name, one in defs[around.__name__]["properties"].items() if name != around.around}


def _rows(beside: Mapping[str, Any]) -> dict[str, Any]:
    """Methods, and the units and joint networks whose names stand for the method that uses them."""
    methods = known(Method)
    connected, joint = (schema_of(methods[name], name)["properties"] for name in ("connected", "joint"))
    of_units = {**beside, **{name: one for name, one in connected.items() if name not in ("use", "unit")}}
    of_joint = {**beside, **{name: one for name, one in joint.items() if name != "use"}}
    del of_joint["network"]
    return {
        **_parts(methods, beside),
        **_parts(known(Unit), of_units),
        **_parts(known(Connected), of_joint),
    }


def _parts(calls: Mapping[str, Callable[..., Any]], beside: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {name: schema_of(call, name, beside) for name, call in calls.items()}


def _any_of(parts: Mapping[str, Any]) -> dict[str, Any]:
    """A part's name where it needs no options, a mapping with `use`, or one's own."""
    alone = [name for name, one in parts.items() if one["required"] == ["use"]]
    own = {"type": "object", "properties": {"use": OWN}, "required": ["use"]}
    return {"anyOf": [{"enum": alone}, OWN, *parts.values(), own]}
