"""What can be called for a part, with how many positions, and what it makes."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any, TypeVar

from taskweave.parts.words import short

C = TypeVar("C", bound=Callable[..., Any])


def makes(call: Callable[..., Any], kind: type) -> bool:
    """Whether a class is one of a kind, or a function is annotated to return one."""
    made = made_by(call)
    return inspect.isclass(made) and issubclass(made, kind)


@functools.cache
def made_by(call: Callable[..., Any]) -> Any:
    """The class that a call makes: itself, or what a function is annotated to return; None where that is not said."""
    if inspect.isclass(call):
        return call
    said = getattr(call, "__annotations__", {}).get("return")
    if isinstance(said, str):
        try:
            said = typing.get_type_hints(
                type("_", (), {"__annotations__": {"it": said}}), globalns=getattr(call, "__globals__", {})
            )["it"]
        except NameError:
            return None
    return typing.get_origin(said) or said


def require_callable(call: Any) -> None:
    """Raise ValueError for what cannot be a part: lambdas, builtins, modules, classes of fields."""
    name = getattr(call, "__name__", type(call).__name__)
    if name == "<lambda>":
        raise ValueError("a lambda cannot be a part: no other process could find it; write a function with a name")
    if inspect.isbuiltin(call) or inspect.ismodule(call) or not callable(call) or not hasattr(call, "__module__"):
        raise ValueError(f"{name} is no part: a part is a class or a function with keyword-only options, got {short(call)}")
    if inspect.isclass(call) and (hasattr(call, "__pydantic_fields__") or dataclasses.is_dataclass(call)):
        raise ValueError(f"{name} is a class of fields, no part: write a function with options behind `*` that makes it")


def function(call: Callable[..., Any]) -> Any:
    """The function behind a call: a class's constructor, what a decorator wraps."""
    return inspect.unwrap(call.__init__ if inspect.isclass(call) else call)


@functools.cache
def signature(call: Callable[..., Any]) -> inspect.Signature:
    """Its parameters, without `self`; none of a constructor that is inherited from a library."""
    if inspect.isclass(call):
        owner = next((one for one in call.__mro__ if "__init__" in vars(one)), object)
        if owner is not call and owner.__module__.partition(".")[0] in ("builtins", "torch", "torchvision", "torchmetrics"):
            return inspect.Signature()
    found = inspect.signature(function(call))
    own = list(found.parameters.values())
    return found.replace(parameters=own[1:]) if inspect.isclass(call) and own else found


def positions(call: Callable[..., Any]) -> int:
    """How many of the values that the program gives it takes."""
    parameters = list(signature(call).parameters.values())
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return 99
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


def states(**facts: Any) -> Callable[[C], C]:
    """State facts of a part that is a function, as class attributes do for a class: `check`, `title`, `usual_stages` ...

    Args:
        facts: Name and value; a fact that depends on the options is a function of them (`Mapping[str, Any]`).
    """

    def state(call: C) -> C:
        for name, value in facts.items():
            setattr(call, name, value)
        return call

    return state
