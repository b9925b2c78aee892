"""What is wrong with a recipe, in words: the key, the nearest valid one, the choices there are."""

from __future__ import annotations

from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from taskweave.parts import unknown
from taskweave.parts.words import short


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Every fault of a recipe, one sentence each."""
    return "; ".join(dict.fromkeys(_sentence(detail, model) for detail in error.errors()))


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    path = detail["loc"]
    written = ".".join(str(part) for part in path if not _is_type(part))
    if detail["type"] == "extra_forbidden":
        inside = written.rpartition(".")[0]
        what = f"key {path[-1]!r}" + (f" in {inside!r}" if inside else "")
        return unknown(what, str(path[-1]), _fields(model, path[:-1]))
    if detail["type"] == "missing":
        return f"{written!r} is missing"
    message = str(detail["msg"]).removeprefix("Value error, ")
    given = "" if detail["type"] == "value_error" else f", got {short(detail['input'])}"
    return f"{written}: {message}{given}" if written else message


def _is_type(part: int | str) -> bool:
    """Whether a step of a path is the name of a union's member, which nobody wrote."""
    return isinstance(part, str) and part[:1].isupper()


def _fields(model: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """The valid keys at a path."""
    here: list[Any] = [model]
    for part in path:
        inner = [found for one in here for found in _step(one, part)]
        here = inner or here
    return list(dict.fromkeys(name for one in here if _is_model(one) for name in one.model_fields))


def _is_model(one: Any) -> bool:
    return isinstance(one, type) and issubclass(one, BaseModel)


def _step(here: Any, part: int | str) -> list[Any]:
    """The types behind one part of a path."""
    if _is_model(here):
        return _members(here.model_fields[part].annotation) if part in here.model_fields else []
    if isinstance(part, int) and get_origin(here) in (tuple, list):
        return _members(get_args(here)[0])
    return _members(get_args(here)[1]) if get_origin(here) is dict else []


def _members(here: Any) -> list[Any]:
    """The types of a union (one for anything else), without Annotated and None."""
    if get_origin(here) is Annotated:
        return _members(get_args(here)[0])
    if get_origin(here) in (Union, UnionType):
        return [m for arg in get_args(here) for m in _members(arg) if m is not type(None)]
    return [here]
