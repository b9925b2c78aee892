"""What is in a file, as a short text."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path


def fingerprint(path: Path) -> str | None:
    """The first 16 hex digits of SHA-256 over a file's bytes; None where there is no file. Read again when it changes."""
    if not path.is_file():
        return None
    found = path.stat()
    return _of(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=16)
def _of(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
