"""Text that shows what it holds: nothing in a name reorders or hides what stands beside it."""

from __future__ import annotations

import unicodedata

_KEPT = "\n\t"
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def visible(text: str) -> str:
    r"""The text with control characters (of writing direction too) written out, e.g. as ``\u202e``; lines stay lines."""
    return "".join(c if c in _KEPT or unicodedata.category(c) not in _HIDDEN else _written(c) for c in text)


def _written(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
