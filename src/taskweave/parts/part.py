"""A recipe's part is a call written down: what to call, and its keyword-only options.

    part(deeplab_resnet, body="resnet50")                      in Python
    {use: deeplab_resnet, body: resnet50}                      in YAML; `use: my_nets.py:unet` for one of your own
    --set network.body=resnet101                               on the command line

What the program gives (channels, shapes, tasks) comes first and by position, what a person chooses is keyword-only. The
signature alone says which options there are, of which types, with which defaults: nothing repeats it.
"""

from __future__ import annotations

import functools
import inspect
import json
import typing
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, final

from taskweave.parts.kinds import find, kind_name, registered, require_made, there_is
from taskweave.parts.options import (
    Aside,
    Where,
    checked,
    default_of,
    dump_of,
    identity_of,
    made_by,
    options_of,
    positions,
    require_callable,
)
from taskweave.parts.own_code import class_of, code_of, copied, is_ours, known_by, load_attribute
from taskweave.parts.words import short, snake_case

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

R_co = TypeVar("R_co", covariant=True)


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
            partial: functools.partial[Any] = call
            call, options = partial.func, {**partial.keywords, **(options or {})}
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

    @property
    def title(self) -> str:
        """What tables call it: what it states, else its name in words."""
        return str(self.fact("title", default=snake_case(self.call.__name__).replace("_", " ")))

    @property
    def aside(self) -> tuple[str, ...]:
        """The options that change no result."""
        return tuple(name for name, field in options_of(self.call).model_fields.items() if Aside in field.metadata)

    def fact(self, name: str, *more: Any, default: Any = None) -> Any:
        """A fact that is stated on the call, or on the class that it makes.

        Args:
            name: Of the fact.
            more: What a fact is asked with beside the options, where it is a function of them.
            default: Where nothing is stated.
        """
        for owner in (self.call, made_by(self.call)):
            found = getattr(owner, name, None)
            if found is not None and not isinstance(found, property):
                return found(self.options, *more) if inspect.isfunction(found) else found
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

    def __deepcopy__(self, memo: dict[int, Any]) -> Part[R_co]:
        return self  # nothing changes it; pydantic copies defaults

    def __reduce__(self) -> tuple[Any, ...]:
        if is_ours(self.call):
            return Part, (self.call, self.options)
        code = code_of(self.call)
        if "<locals>" in code.use:
            raise ValueError(
                f"{self.call.__qualname__} is defined inside a function, where no other process finds it; write it at the "
                f"top level of {code.file.name}"
            )
        return _restored, (code.use, code.digest, self.options)

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
            metadata={
                # a word of ours, since pydantic knows no definition of a kind; see `taskweave.parts.described`
                "pydantic_js_functions": [
                    lambda schema, handler: {"part": kind_name(registered(kind) or kind).replace(" ", "_")}
                ]
            },
        )


@final
class Live(Part[Any]):
    """An object as a part: each call gives a copy of it, so that nobody changes the one that was given.

    It is known by its class and the hash of its weights, or by the `identity` that it states.

    Args:
        given: A module, or a data set (or {part: data set}).

    Raises:
        ValueError: It has no weights and states no `identity`.
    """

    __slots__ = ("_known_by", "given")

    def __init__(self, given: Any) -> None:
        self.given = given
        self.call = self._copy
        self.options: dict[str, Any] = {}
        self._known_by = known_by(given)

    def _copy(self, *said: Any) -> Any:
        if isinstance(self.given, Mapping):
            return self.given[said[0]]
        return copied(self.given) if hasattr(self.given, "state_dict") else self.given

    def __call__(self, *given: Any) -> Any:
        return self._copy(*given)

    @property
    def name(self) -> str:
        return f"given {class_of(self.given)}"

    @property
    def use(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        return self.name

    @property
    def aside(self) -> tuple[str, ...]:
        return ()

    def fact(self, name: str, *more: Any, default: Any = None) -> Any:
        if name == "as_given":
            return hasattr(self.given, "state_dict")
        found = getattr(self.given, name, None)
        return default if found is None or callable(found) else found

    def replace(self, **options: Any) -> Part[Any]:
        raise ValueError(f"{self.name} is a live object and has no options")

    def identity(self) -> dict[str, Any]:
        return {"use": self.name, "known_by": self._known_by}

    def dump(self) -> dict[str, Any]:
        return self.identity()

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise ValueError(
            f"{self.name} lives in this process alone, so it runs neither with --jobs nor on Ray; write a function "
            "that makes it into a file (my_nets.py:make_seg), and give its weights as a start"
        )


def _restored(use: str, digest: str, options: dict[str, Any]) -> Part[Any]:
    """A part of one's own in another process: the same code, or none."""
    call = load_attribute(use)
    if code_of(call).digest != digest:
        raise ValueError(f"{code_of(call).file} has changed since the recipe was read; start the command again")
    return Part(call, options)


def read(value: Any, kind: type) -> Part[Any]:
    """A part of a kind from a Part, a callable, a name, or a mapping with `use`.

    Raises:
        ValueError: There is no such part, it makes something else, or an option is unknown, missing or invalid.
    """
    if isinstance(value, Part):
        if not isinstance(value, Live):
            require_made(value.call, kind)
        return value
    if _is_live(value, kind):
        return Live(value)
    if isinstance(value, str):
        value = {"use": value}
    if isinstance(value, Mapping):
        if not isinstance(value.get("use"), str):
            raise ValueError(
                f"a {kind_name(kind)} is a name or a mapping with `use: NAME`, got {short(value)}; {there_is(kind)}"
            )
        call = find(value["use"], kind)
        return Part(call, {key: one for key, one in value.items() if key != "use"})
    if callable(value):
        require_made(value.func if isinstance(value, functools.partial) else value, kind)
        return Part(value)
    raise ValueError(f"a {kind_name(kind)} is a name or a mapping with `use: NAME`, got {short(value)}; {there_is(kind)}")


def _is_live(value: Any, kind: type) -> bool:
    """Whether it is an object of the kind, or several by name, rather than a call."""
    if isinstance(value, Mapping):
        return bool(value) and all(isinstance(one, kind) for one in value.values())
    return kind is not object and isinstance(value, kind)
