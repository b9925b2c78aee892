"""Files that are whole or not there."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> Path:
    """Write beside `path`, then put it in place: a reader sees the old file or the new.

    The folder is made where it is missing. Raises OSError.
    """
    write_together({path: write})
    return path


def write_together(files: Mapping[Path, Callable[[IO[bytes]], object]]) -> None:
    """Write all files beside their places, then put them there: where one cannot be written, none is.

    Several processes may write the same files: each is whole, of one of them.

    The folders are made where they are missing. Raises OSError.
    """
    parts = {path: path.with_name(f"{path.name}.{uuid.uuid4().hex}.part") for path in files}
    try:
        for path, write in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with parts[path].open("wb") as file:
                write(file)
        for path, part in parts.items():
            part.replace(path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
