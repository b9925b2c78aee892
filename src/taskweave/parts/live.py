"""What objects that exist already are known by."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from typing import Any


def class_of(given: Any) -> str:
    """The class of an object, or of the first of several by name."""
    return type(next(iter(given.values())) if isinstance(given, Mapping) else given).__name__


def copied(given: Any) -> Any:
    """A copy of a module; one without values where fresh modules have none, inside ``torch.device("meta")``."""
    import torch

    made = copy.deepcopy(given)
    return made.to("meta") if torch.get_default_device().type == "meta" else made


def known_by(given: Any) -> str:
    """What an object is known by: the `identity` that it states, else the hash of its weights.

    Raises:
        ValueError: It has neither.
    """
    if isinstance(given, Mapping):
        return " ".join(f"{part} {known_by(one)}" for part, one in given.items())
    stated = getattr(given, "identity", None)
    if isinstance(stated, str):
        return stated
    if not hasattr(given, "state_dict"):
        raise ValueError(
            f"a {type(given).__name__} has no weights to be known by: state identity = 'a name and a version' on it"
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
