"""A recipe's part is a call written down: what to call, and its keyword-only options.

    part(deeplab_resnet, body="resnet50")                      in Python
    {use: deeplab_resnet, body: resnet50}                      in YAML; `use: my_nets.py:unet` for one of your own
    --set network.body=resnet101                               on the command line

What the program gives (channels, shapes, tasks) comes first and by position, what a person chooses is keyword-only. The
signature alone says which options there are, of which types, with which defaults: nothing repeats it.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from taskweave.parts.callables import made_by, makes, positions, require_callable, signature
from taskweave.parts.options import Aside, Where, checked, default_of, dump_of, identity_of, options_of
from taskweave.parts.own_code import code_of, is_ours, load_attribute
from taskweave.parts.words import short, snake_case, unknown

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

R_co = TypeVar("R_co", covariant=True)
C = TypeVar("C", bound=Callable[..., Any])


class Kind(NamedTuple):
    """A kind of part.

    name: what messages call it.  given: what the program hands over, by position.
    rooms: modules whose public names (`__all__`) may be written short.
    """

    name: str
    given: tuple[str, ...]
    rooms: tuple[str, ...]


KINDS: dict[type, Kind] = {}
"""By the class that its calls make; see `taskweave.experiments.rooms`."""


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


def part(call: Callable[..., R_co], /, **options: Any) -> Part[R_co]:
    """Write a call down, to be made later.

    Args:
        call: A class, or a function annotated with what it returns.
        options: Its keyword-only options; those left out have their defaults.

    Raises:
        ValueError: `call` cannot be a part, or an option is unknown, missing or invalid.
    """
    return Part(call, options)


class Part(Generic[R_co]):
    """A call and its options, checked. ``part(*given)`` makes the call; equal parts have equal `identity`.

    Args:
        call: A class, or a function annotated with what it returns.
        options: Its keyword-only options by name; those left out have their defaults.
    """

    __slots__ = ("call", "options")

    def __init__(self, call: Callable[..., R_co], options: Mapping[str, Any] | None = None) -> None:
        if isinstance(call, functools.partial):
            if call.args:
                raise ValueError(f"{call.func.__name__}: a part's options are keyword-only, got the positions {call.args}")
            call, options = call.func, {**call.keywords, **(options or {})}
        require_callable(call)
        self.call: Callable[..., R_co] = call
        self.options: dict[str, Any] = checked(call, dict(options or {}))

    def __call__(self, *given: Any) -> R_co:
        """Make the call. `given` is what the program hands over; a call takes as many of it as it has positions."""
        return self.call(*given[: positions(self.call)], **self.options)

    @property
    def name(self) -> str:
        """Its short name where it is ours, ``file:name`` where it is somebody's own."""
        return snake_case(self.call.__name__) if is_ours(self.call) else code_of(self.call).name

    @property
    def use(self) -> str:
        """What a recipe writes after `use:`, so that another process finds the same call."""
        return self.name if is_ours(self.call) else code_of(self.call).use

    def fact(self, name: str, default: Any = None) -> Any:
        """A fact that is stated on the call, or on the class that it makes, of these options where it depends on them."""
        for owner in (self.call, made_by(self.call)):
            found = getattr(owner, name, None)
            if found is not None and not isinstance(found, property):
                return found(self.options) if inspect.isfunction(found) else found
        return default

    def replace(self, **options: Any) -> Part[R_co]:
        """The same call with some options changed."""
        return Part(self.call, {**self.options, **options})

    def identity(self) -> dict[str, Any]:
        """All that determines what it makes, as JSON: options at their defaults are left out, so that new ones change
        nothing; code of one's own counts by its content."""
        fields = options_of(self.call).model_fields
        counted = {
            name: identity_of(value)
            for name, value in self.options.items()
            if not {Where, Aside} & set(fields[name].metadata) and value != default_of(self.call, name)
        }
        own = {} if is_ours(self.call) else {"code": code_of(self.call).digest}
        revision = getattr(self.call, "revision", 0)
        return {"use": self.name, **own, **({"revision": revision} if revision else {}), **counted}

    def dump(self) -> dict[str, Any]:
        """Every option written out, as JSON: what a resolved recipe holds."""
        return {"use": self.use, **{name: dump_of(value) for name, value in self.options.items()}}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Part) and self.identity() == other.identity() and self.dump() == other.dump()

    def __hash__(self) -> int:
        return hash(json.dumps(self.identity(), sort_keys=True))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.call, self.options)

    def __repr__(self) -> str:
        said = [f"{name}={value!r}" for name, value in self.options.items() if value != default_of(self.call, name)]
        return f"part({', '.join([self.call.__name__, *said])})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        (kind,) = typing.get_args(source) or (object,)
        kind = typing.get_origin(kind) or kind
        return core_schema.no_info_plain_validator_function(
            lambda value: read(value, kind),
            serialization=core_schema.plain_serializer_function_ser_schema(dump_of),
            metadata={"pydantic_js_functions": [lambda schema, handler: _json_schema(kind)]},
        )


def read(value: Any, kind: type) -> Part[Any]:
    """A part of a kind from a Part, a callable, a name, or a mapping with `use`.

    Raises:
        ValueError: There is no such part, it makes something else, or an option is unknown, missing or invalid.
    """
    if isinstance(value, Part):
        return _of_kind(value, kind)
    if isinstance(value, str):
        value = {"use": value}
    if isinstance(value, Mapping):
        if not isinstance(value.get("use"), str):
            raise ValueError(
                f"a {kind_name(kind)} is a name or a mapping with `use: NAME`, got {short(value)}; {_there(kind)}"
            )
        call = find(value["use"], kind)
        return _of_kind(Part(call, {key: one for key, one in value.items() if key != "use"}), kind, call)
    if callable(value):
        _require_made(value.func if isinstance(value, functools.partial) else value, kind)
        return _of_kind(Part(value), kind)
    raise ValueError(f"a {kind_name(kind)} is a name or a mapping with `use: NAME`, got {short(value)}; {_there(kind)}")


def find(name: str, kind: type) -> Callable[..., Any]:
    """The call behind a short name, ``module:name`` or ``file.py:name``; it is what makes the kind, or refused.

    Raises:
        ValueError: There is none of that name, or it makes something else.
    """
    if ":" not in name:
        there = known(kind)
        call = there.get(name) or there.get(snake_case(name))
        if call is None:
            raise ValueError(unknown(f"{kind_name(kind)} {name!r}", name, list(there)))
        return call
    call = load_attribute(name)
    _require_made(call, kind)
    return call


def known(kind: type) -> dict[str, Callable[..., Any]]:
    """Every part of a kind that has a short name."""
    return dict(_public(kind, KINDS[kind].rooms)) if kind in KINDS else {}


@functools.cache
def _public(kind: type, rooms: tuple[str, ...]) -> tuple[tuple[str, Callable[..., Any]], ...]:
    def of(room: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
        for name in room.__all__:
            call = getattr(room, name)
            if callable(call) and not inspect.isabstract(call) and kind_of(call) is kind and call is not kind:
                yield snake_case(name), call

    return tuple(dict(pair for room in map(importlib.import_module, rooms) for pair in of(room)).items())


def kind_of(call: Callable[..., Any]) -> type | None:
    """The kind that a call makes, the narrowest where a class is of several (a unit is a module, too)."""
    found = [kind for kind in KINDS if makes(call, kind)]
    return next((kind for kind in found if not any(other is not kind and issubclass(other, kind) for other in found)), None)


def kind_name(kind: type) -> str:
    """What messages call a kind."""
    return KINDS[kind].name if kind in KINDS else snake_case(kind.__name__)


def _json_schema(kind: type) -> dict[str, Any]:
    name = {"type": "string", "examples": list(known(kind))}
    call = {"type": "object", "properties": {"use": name}, "required": ["use"]}
    return {"title": kind_name(kind), "anyOf": [name, call]}


def _there(kind: type) -> str:
    return f"there is: {', '.join(known(kind))}" if known(kind) else "give one of your own"


def _of_kind(it: Part[Any], kind: type, call: Callable[..., Any] | None = None) -> Part[Any]:
    _require_made(it.call if call is None else call, kind)
    if kind in KINDS:
        given = KINDS[kind].given
        before = [
            p for p in signature(it.call).parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        if len(before) > len(given):
            extra = [p.name for p in before[len(given) :]]
            raise ValueError(
                f"{it.call.__name__} has {extra} before the `*`; a {kind_name(kind)} is called with ({', '.join(given)}), "
                f"and its options are keyword-only: def {it.call.__name__}({', '.join([*given, '*', *extra])})"
            )
    return it


def _require_made(call: Any, kind: type) -> None:
    require_callable(call)
    if not makes(call, kind):
        said = made_by(call)
        found = "does not say what it returns" if said is None else f"makes {getattr(said, '__name__', said)}"
        raise ValueError(
            f"{call.__name__} is no {kind_name(kind)}: it {found}; a {kind_name(kind)} is a subclass of {kind.__name__} or "
            f"a function annotated `-> {kind.__name__}`"
        )
