"""Setting any field of a recipe from a line of text: ``training.connected.steps=200``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taskweave.experiments.recipe import Recipe, read


def with_settings(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe with every ``dotted.path=value`` applied in turn; values are read as YAML.

    A part of a path is a key, a position in a list, or the name of a list's item (``methods.nddr.unit.order=paper``).
    A key may have dots of its own where it is there already (``printed.rows.NDDR.normals.within_11.25=53.5``).
    Setting a `use` starts that part afresh. Raises ValueError for a line without '=', a path that does not exist, and
    whatever the recipe refuses.
    """
    import yaml

    for line in settings:
        path, sign, text = line.partition("=")
        if not sign or not path.strip():
            raise ValueError(f"--set takes dotted.path=value, got {line!r}; e.g. training.connected.steps=200")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(f"--set {line}: the value is not YAML: {error}") from error
        content = recipe.dump()
        _put(content, path.strip().split("."), value, line=line)
        recipe = read(content, f"--set {line}")
    return recipe


def _put(content: dict[str, Any], path: list[str], value: Any, *, line: str) -> None:
    here: Any = content
    part, rest = _first(here, path)
    while rest:
        key = _key(here, part, line)
        if isinstance(here, dict) and here.get(key) is None:
            here[key] = {}  # an option that was left out: its own defaults, and then this one field
        here = here[key]
        part, rest = _first(here, rest)
    last = _key(here, part, line)
    if last == "use" and here.get("use") != value:
        here.clear()
    here[last] = value


def _first(here: Any, path: list[str]) -> tuple[str, list[str]]:
    """The path's next part and the rest: the longest key that is there, which may have dots in it."""
    if isinstance(here, dict):
        for end in range(len(path), 1, -1):
            if (key := ".".join(path[:end])) in here:
                return key, path[end:]
    return path[0], path[1:]


def _key(here: Any, part: str, line: str) -> str | int:
    if isinstance(here, dict):
        return part  # the recipe itself refuses unknown keys, and names the nearest
    if not isinstance(here, list):
        raise ValueError(f"--set {line}: there is nothing below {part!r}: what holds it is {here!r}")
    kinds = [_name_of(item) for item in here]
    if part.isdecimal() and int(part) < len(here):
        return int(part)
    if kinds.count(part) == 1:
        return kinds.index(part)
    known = [*map(str, range(len(here))), *(kind for kind in kinds if kind)]
    raise ValueError(f"--set {line}: no {part!r} there; it takes one of {known} (a part that is there once, or a position)")


def _name_of(item: Any) -> str | None:
    """What an item of a list is called: its unit's or joint network's name where it has one, else its own."""
    if not isinstance(item, dict):
        return None
    inner = item.get("unit") or item.get("network")
    return str(inner["use"]) if isinstance(inner, dict) and "use" in inner else item.get("use")
