"""What a part is, for people and for editors: its docstring, its options, its JSON schema."""

from __future__ import annotations

import functools
import inspect
import re
import typing
from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union

from taskweave.parts.options import dump_of, function, options_of

if TYPE_CHECKING:
    from pydantic.json_schema import GenerateJsonSchema

Call = Callable[..., Any]
PART = "part"
"""The key by which the schema of an option that is a part names its kind; `with_references` makes it a `$ref`."""

_SECTION = re.compile(r"^(Args|Returns|Raises|Yields|Example|Examples):", re.MULTILINE)
_ARGUMENT = re.compile(r"^    (\w+(?:, \w+)*): (.*(?:\n {8,}.*)*)", re.MULTILINE)
_ELSEWHERE = re.compile(r"As in `(\w+)`")


class Option(NamedTuple):
    """One option of a part.

    type: what it takes, in words.  default: as YAML has it; None where it must be given.  what: from the docstring.
    """

    name: str
    type: str
    default: str | None
    what: str


def first_line(call: Call) -> str:
    """What a part is, in one line; "" for one without a docstring."""
    return next(iter(_docstring(call).splitlines()), "")


def about(call: Call) -> str:
    """The docstring before its sections: what it is, and its source."""
    return _SECTION.split(_docstring(call), maxsplit=1)[0].strip()


def source(call: Call) -> str:
    """The paper that a part is from, as its docstring says after `Source:`; "" where it says none."""
    found = re.search(r"Source: (.*(?:\n\S.*)*)", about(call))
    return " ".join(found[1].split()) if found else ""


def described(call: Call) -> tuple[Option, ...]:
    """The options of a part, in the order of its signature."""
    texts = _arguments(call)
    return tuple(
        Option(
            name,
            words_of(field.annotation, field.metadata),
            None if field.is_required() else _yaml(dump_of(field.default)),
            texts.get(name, ""),
        )
        for name, field in options_of(call).model_fields.items()
    )


def _arguments(call: Call) -> dict[str, str]:
    """{argument: what the docstring says of it}; what is said at another call's is taken from there."""
    texts: dict[str, str] = {}
    for names, text in _ARGUMENT.findall(_docstring(call)):
        said = _ELSEWHERE.match(text)
        other = getattr(function(call), "__globals__", {}).get(said[1]) if said else None
        there = {} if other is None or other is call else _arguments(other)
        texts |= {name: there.get(name) or " ".join(text.split()) for name in names.split(", ")}
    return texts


def words_of(annotation: Any, metadata: typing.Sequence[Any] = ()) -> str:
    """A type of an option in words: "a whole number from 1", "one of a, b", "a list of numbers above 0, or none"."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return words_of(arguments[0], arguments[1:])
    if origin in (Union, UnionType):
        return " or ".join(words_of(one, metadata) for one in sorted(arguments, key=lambda one: one is NoneType))
    return _plain(annotation, origin, arguments) + "".join(_bounds(metadata))


def _plain(annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> str:
    simple = {int: "whole number", float: "number", bool: "true or false", str: "text", NoneType: "none"}
    if annotation in simple:
        return simple[annotation]
    if origin is Literal:
        return " | ".join(str(one) for one in arguments)
    if origin is tuple and arguments[-1:] == (...,):
        return f"list of {words_of(arguments[0])}"
    if origin is tuple:
        return f"[{', '.join(words_of(one) for one in arguments)}]"
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return f"{{{words_of(arguments[0])}: {words_of(arguments[1])}}}"
    if origin is not None and hasattr(origin, "fact"):
        from taskweave.parts.kinds import kind_name

        return f"a {kind_name(arguments[0])}"
    return getattr(annotation, "__name__", str(annotation)).lower()


def _bounds(metadata: typing.Sequence[Any]) -> list[str]:
    said = {"ge": " from {:g}", "gt": " above {:g}", "le": " to {:g}", "lt": " below {:g}"}
    return [words.format(getattr(one, name)) for one in metadata for name, words in said.items() if hasattr(one, name)]


def _yaml(value: Any) -> str:
    import json

    return json.dumps(value) if not isinstance(value, str) else value or '""'


def _docstring(call: Call) -> str:
    return inspect.cleandoc(call.__doc__ or "")


def schema_of(call: Call, name: str, beside: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The JSON schema of a mapping that names a part: ``{use: NAME, its options}``.

    Args:
        call: The part.
        name: What `use` says.
        beside: Schemas of what may be said on the same level.
    """
    found = options_of(call).model_json_schema(schema_generator=json_schema())
    texts = {option.name: option.what for option in described(call)}
    options = {key: _option(call, key, one, texts[key]) for key, one in found.get("properties", {}).items()}
    properties = {"use": {"const": name}, **(beside or {}), **options}
    required = ["use", *found.get("required", [])]
    return {"title": name, "description": first_line(call), **_mapping(properties, required=required)}


def _option(call: Call, name: str, schema: Mapping[str, Any], text: str) -> dict[str, Any]:
    found = {key: one for key, one in schema.items() if key != "title"}
    default = options_of(call).model_fields[name].default
    if hasattr(default, "dump"):  # a mapping without `use` changes options of the default
        inner = schema_of(default.call, default.name)["properties"]
        changed = {key: one for key, one in inner.items() if key != "use"}
        found = {
            "anyOf": [{key: one for key, one in found.items() if key != "default"}, _mapping(changed)],
            "default": default.dump(),
        }
    return {**found, "description": text} if text else found


def _mapping(properties: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), **more, "additionalProperties": False}


@functools.cache
def json_schema() -> type[GenerateJsonSchema]:
    """What makes JSON schemas of models whose defaults are parts."""
    from pydantic.json_schema import GenerateJsonSchema

    class Schema(GenerateJsonSchema):
        def encode_default(self, dft: Any) -> Any:
            return super().encode_default(dump_of(dft))

    return Schema


def with_references(schema: Any) -> Any:
    """A schema in which options that are parts refer to the definition of their kind."""
    if isinstance(schema, list):
        return [with_references(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(kind := schema.get(PART), str):
        return {**{key: one for key, one in schema.items() if key != PART}, "$ref": f"#/$defs/{kind}"}
    return {key: with_references(one) for key, one in schema.items()}
