"""What every public name of a room that makes a part must keep."""

import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from annotated_types import BaseMetadata

from taskweave.parts import Part, makes, options_of

GIVEN = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def parts_of(room: ModuleType, kind: type, *, but: tuple[type, ...] = ()) -> dict[str, Callable[..., Any]]:
    """The public names of a room that make a kind, and none of the narrower kinds `but`."""
    found = {name: getattr(room, name) for name in room.__all__}
    return {
        name: call
        for name, call in found.items()
        if callable(call)
        and makes(call, kind)
        and not any(makes(call, one) for one in but)
        and not inspect.isabstract(call)
    }


def assert_is_a_part(call: Callable[..., Any], given: int, needed: Mapping[str, Any]) -> None:
    """It is written down with its defaults; what the program gives comes first; its docstring begins with a sentence."""
    made = Part(call, needed)
    assert Part(call, made.options) == made
    parameters = inspect.signature(inspect.unwrap(call)).parameters.values()
    before = [p for p in parameters if p.kind in GIVEN]
    assert len(before) <= given, f"{call.__name__} takes {[p.name for p in before]} by position"
    first = inspect.getdoc(call).split("\n\n")[0].splitlines()[0]
    assert first[0].isalnum() and len(first) > 15, f"{call.__name__}: {first!r} is no sentence"


def bounds(call: Callable[..., Any], option: str) -> list[BaseMetadata]:
    """Of an option, or of the numbers in it."""
    field = options_of(call).model_fields[option]
    found = [one for one in field.metadata if isinstance(one, BaseMetadata)]
    return found + _inside(field.annotation)


def _inside(annotation: Any) -> list[BaseMetadata]:
    own = [one for one in getattr(annotation, "__metadata__", ()) if isinstance(one, BaseMetadata)]
    return own + [one for inner in getattr(annotation, "__args__", ()) for one in _inside(inner)]
