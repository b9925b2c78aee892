"""Objects that exist already, as parts: trained networks and data sets given in Python."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from typing import Any, final

from taskweave.parts.part import Part


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
        self._known_by = _known_by(given)

    def _copy(self, *said: Any) -> Any:
        if isinstance(self.given, Mapping):
            return self.given[said[0]]
        return copy.deepcopy(self.given) if hasattr(self.given, "state_dict") else self.given

    def __call__(self, *given: Any) -> Any:
        return self._copy(*given)

    @property
    def is_live(self) -> bool:
        return True

    @property
    def name(self) -> str:
        return f"given {_class_of(self.given)}"

    @property
    def use(self) -> str:
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
            f"{self.name} lives in this process alone, so it runs neither with --jobs nor on Ray; write a function with a name "
            "that makes it into a file (my_nets.py:make_seg), and give its weights as a start"
        )


def _class_of(given: Any) -> str:
    return type(next(iter(given.values())) if isinstance(given, Mapping) else given).__name__


def _known_by(given: Any) -> str:
    if isinstance(given, Mapping):
        return " ".join(f"{part} {_known_by(one)}" for part, one in given.items())
    stated = getattr(given, "identity", None)
    if isinstance(stated, str):
        return stated
    if not hasattr(given, "state_dict"):
        raise ValueError(
            f"a {type(given).__name__} has no weights to be known by: state what it is, identity = 'a name and a version', on it"
        )
    import torch

    together = hashlib.sha256(type(given).__qualname__.encode())
    for name, value in given.state_dict().items():
        together.update(name.encode())
        if isinstance(value, torch.Tensor):
            plain = value.detach().cpu().contiguous()
            together.update(
                f"{plain.dtype}{tuple(plain.shape)}".encode() + plain.reshape(-1).view(torch.uint8).numpy().tobytes()
            )
    return together.hexdigest()[:16]
