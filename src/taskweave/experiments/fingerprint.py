"""What is in a file, a folder or a piece of data, as a short text."""

from __future__ import annotations

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any


def digest_of(content: Any) -> str:
    """The first 16 hex digits of SHA-256 over canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fingerprint(path: Path) -> str | None:
    """The first 16 hex digits of SHA-256 over a file's bytes, or over the names and sizes of what a folder holds.

    None where there is neither. A file is read again when it changes, a folder once in a process.
    """
    if path.is_dir():
        return _of_folder(path.resolve())
    if not path.is_file():
        return None
    found = path.stat()
    return _of_file(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=16)
def _of_file(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


@lru_cache(maxsize=64)
def _of_folder(path: Path) -> str:
    together = hashlib.sha256()
    for folder, folders, files in os.walk(path):
        folders.sort()
        for name in sorted(files):
            file = Path(folder) / name
            together.update(f"{file.relative_to(path).as_posix()} {file.stat().st_size}\n".encode())
    return together.hexdigest()[:16]
