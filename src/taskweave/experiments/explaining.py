"""What is wrong with a recipe, in words: the key, the nearest valid one, the choices there are."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Every fault of a recipe, one sentence each."""
    return "; ".join(dict.fromkeys(_sentence(detail, model) for detail in error.errors()))


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    """'unknown <what> ...', with the nearest of `known` and the list of them."""
    by_letters = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), by_letters, n=1, cutoff=0.5)
    guess = f", did you mean {by_letters[near[0]]!r}?" if near else "."
    return f"unknown {what}{guess} There is: {', '.join(known)}"


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    path = detail["loc"]
    written = ".".join(str(part) for part in _written(model, path))
    if detail["type"] == "extra_forbidden":
        inside = written.rpartition(".")[0]
        what = f"key {path[-1]!r}" + (f" in {inside!r}" if inside else "")
        return unknown(what, str(path[-1]), _fields(model, path[:-1]))
    if detail["type"] == "union_tag_invalid":
        known = [tag.strip().strip("'") for tag in str(detail["ctx"]["expected_tags"]).split(",")]
        tag = str(detail["ctx"]["tag"])
        return unknown(f"kind {tag!r} of {written!r}", tag, known)
    if detail["type"] == "union_tag_not_found":
        return f"{written!r} needs a `kind`, one of {_tags(model, path)}"
    if detail["type"] == "missing":
        return f"{written!r} is missing"
    message = str(detail["msg"]).removeprefix("Value error, ")
    given = "" if detail["type"] == "value_error" else f", got {_short(detail['input'])}"
    return f"{written}: {message}{given}" if written else message


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _written(model: type[BaseModel], path: Sequence[int | str]) -> list[int | str]:
    """The path as the user wrote it: without the tags that pydantic puts after a union's key."""
    kept: list[int | str] = []
    here: Any = model
    for part in path:
        here, is_tag = _step(here, part)
        if not is_tag:
            kept.append(part)
    return kept


def _fields(model: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """The valid keys at a path."""
    here: Any = model
    for part in path:
        here, _ = _step(here, part)
    models = [m for m in _members(here) if isinstance(m, type) and issubclass(m, BaseModel)]
    return list(dict.fromkeys(name for m in models for name in m.model_fields))


def _tags(model: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    here: Any = model
    for part in path:
        here, _ = _step(here, part)
    return [tag for member in _members(here) for tag in _tags_of(member)]


def _step(here: Any, part: int | str) -> tuple[Any, bool]:
    """The type behind one part of a path, and whether that part is a union's tag."""
    members = _members(here)
    tagged = [m for m in members if part in _tags_of(m)]
    if len(members) > 1 and tagged:
        return tagged[0], True
    for member in members:
        if isinstance(member, type) and issubclass(member, BaseModel) and part in member.model_fields:
            return _annotation(member, str(part)), False
        if isinstance(part, int) and get_origin(member) in (tuple, list):
            return get_args(member)[0], False
        if isinstance(part, str) and get_origin(member) is dict:
            return get_args(member)[1], False
    return Any, False


def _annotation(model: type[BaseModel], field: str) -> Any:
    return model.model_fields[field].annotation


def _members(here: Any) -> list[Any]:
    """The types of a union (one for anything else), without Annotated and None."""
    if get_origin(here) is Annotated:
        return _members(get_args(here)[0])
    if get_origin(here) in (Union, UnionType):
        return [m for arg in get_args(here) for m in _members(arg) if m is not type(None)]
    return [here]


def _tags_of(member: Any) -> tuple[str, ...]:
    if not (isinstance(member, type) and issubclass(member, BaseModel)) or "kind" not in member.model_fields:
        return ()
    kind = _annotation(member, "kind")
    return tuple(str(tag) for tag in get_args(kind)) if get_origin(kind) is Literal else ()
