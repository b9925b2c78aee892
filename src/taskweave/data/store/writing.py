"""Small files, whole or not at all, also after a power cut."""

from __future__ import annotations

import os
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Put `text` in the place of what is at `path`; who reads meanwhile sees the one or the other. Raises OSError."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    settle(part)
    part.replace(path)
    settle(path.parent)


def settle(path: Path) -> None:
    """Wait until a file, or a folder's list of files, is on the disk and not only in memory."""
    if os.name == "nt" and path.is_dir():  # Windows has no such thing for folders
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
