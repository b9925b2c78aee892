"""The kinds of parts, and the calls that make them: by short name, by module, by file."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from taskweave.parts.options import made_by, makes, require_callable, signature
from taskweave.parts.own_code import load_attribute
from taskweave.parts.words import snake_case, unknown


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
    own: Callable[..., Any] = load_attribute(name)
    require_made(own, kind)
    return own


def known(kind: type) -> dict[str, Callable[..., Any]]:
    """Every part of a kind, or of a subclass of one, that has a short name."""
    whole = registered(kind)
    return {} if whole is None else {name: call for name, call in _public(whole, KINDS[whole].rooms) if makes(call, kind)}


def registered(kind: type) -> type | None:
    """The kind that a class is of: itself, or the narrowest that it is a subclass of."""
    found = [one for one in KINDS if issubclass(kind, one)]
    return next((one for one in found if not any(other is not one and issubclass(other, one) for other in found)), None)


@functools.cache
def _public(kind: type, rooms: tuple[str, ...]) -> tuple[tuple[str, Callable[..., Any]], ...]:
    def of(room: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
        for name in room.__all__:
            call = getattr(room, name)
            if (
                callable(call)
                and not _is_abstract(call)
                and kind_of(call) is kind
                and call is not kind
                and _fits(call, kind)
            ):
                yield snake_case(name), call

    return tuple(dict(pair for room in map(importlib.import_module, rooms) for pair in of(room)).items())


def _fits(call: Callable[..., Any], kind: type) -> bool:
    """Whether a call has the positions of its kind; else it is a tool of the room, no part."""
    taken = _given_to(call)
    return taken == KINDS[kind].given[: len(taken)]


def _is_abstract(call: Callable[..., Any]) -> bool:
    """Also of classes whose library's metaclass does not look."""
    own = vars(call).values() if inspect.isclass(call) else ()
    return inspect.isabstract(call) or any(getattr(one, "__isabstractmethod__", False) for one in own)


def _given_to(call: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a call's positions."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(p.name for p in signature(call).parameters.values() if p.kind in positional)


def kind_of(call: Callable[..., Any]) -> type | None:
    """The kind that a call makes, the narrowest where a class is of several (a unit is a module, too)."""
    made = made_by(call)
    return registered(made) if inspect.isclass(made) else None


def kind_name(kind: type) -> str:
    """What messages call a kind."""
    return KINDS[kind].name if kind in KINDS else snake_case(kind.__name__)


def there_is(kind: type) -> str:
    """The parts of a kind, for messages."""
    return f"there is: {', '.join(known(kind))}" if known(kind) else "give one of your own"


def require_made(call: Any, kind: type) -> None:
    """Raise ValueError for a call that does not make a kind, or has options before the `*`."""
    require_callable(call)
    if not makes(call, kind):
        said = made_by(call)
        found = "does not say what it returns" if said is None else f"makes {getattr(said, '__name__', said)}"
        raise ValueError(
            f"{call.__name__} is no {kind_name(kind)}: it {found}; a {kind_name(kind)} is a subclass of {kind.__name__} or "
            f"a function annotated `-> {kind.__name__}`"
        )
    given = KINDS[kind].given if kind in KINDS else ("...",) * 9
    if extra := list(_given_to(call)[len(given) :]):
        raise ValueError(
            f"{call.__name__} has {extra} before the `*`; a {kind_name(kind)} is called with ({', '.join(given)}), "
            f"and its options are keyword-only: def {call.__name__}({', '.join([*given, '*', *extra])})"
        )


def require_one_of(call: Any, kinds: tuple[type, ...]) -> None:
    """Raise ValueError for a call that makes none of some kinds."""
    require_callable(call)
    if not any(makes(call, kind) for kind in kinds):
        raise ValueError(f"{call.__name__} is no {' and no '.join(map(kind_name, kinds))}")
