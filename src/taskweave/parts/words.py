"""What messages about parts have in common: the nearest name, and what there is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any


def snake_case(name: str) -> str:
    """A public name as recipes write it: CrossStitch -> cross_stitch, NDDR -> nddr, VGG16 -> vgg16."""
    apart = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", apart).lower()


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    """'unknown <what> ...', with the nearest of `known` and the list of them."""
    by_letters = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), by_letters, n=1, cutoff=0.5)
    guess = f", did you mean {by_letters[near[0]]!r}?" if near else "."
    return f"unknown {what}{guess} There is: {', '.join(known)}"


def option_fault(call: str, options: Sequence[str], detail: Mapping[str, Any]) -> str:
    """One fault of a part's options in a sentence. detail: of pydantic's `ValidationError.errors()`."""
    path = ".".join(str(key) for key in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return unknown(f"option {path!r} of {call}", str(detail["loc"][-1]), options)
    if detail["type"] == "missing":
        return f"{call} needs {path!r}"
    message = str(detail["msg"]).removeprefix("Value error, ")
    given = "" if detail["type"] == "value_error" else f", got {short(detail['input'])}"
    return f"{call}.{path}: {message[:1].lower()}{message[1:]}{given}"


def short(value: Any) -> str:
    """A value as a message shows it."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
