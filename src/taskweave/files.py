"""Files that are whole or not there: one atomic, durable way to write them."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, final

PART = ".part"
"""How the temporary files end that a killed process may leave behind."""


@final
class CannotSaveError(OSError):
    """A file could not be written; whatever was there before is whole."""


def write_text(path: Path, text: str) -> None:
    """Replace a file by a text in UTF-8, its line ends as they are. See `replacing`."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file by some bytes. See `replacing`."""
    with writing(path, needed=len(content)) as file:
        file.write(content)


@contextmanager
def writing(path: Path, *, needed: int | None = None) -> Iterator[IO[bytes]]:
    """A stream whose content takes the place of a file when the block ends without an error. See `replacing`."""
    with replacing(path, needed=needed) as part, part.open("xb") as file:
        yield file


def write_together(files: Mapping[Path, Callable[[IO[bytes]], object]]) -> None:
    """Replace several files, each by what its function writes: where one cannot be written, none is replaced.

    Raises:
        CannotSaveError: A file could not be written.
    """
    with ExitStack() as stack:
        parts = {path: stack.enter_context(replacing(path)) for path in files}
        for path, write in files.items():
            with _told(path), parts[path].open("xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())


@contextmanager
def replacing(path: Path, *, needed: int | None = None) -> Iterator[Path]:
    """The path of a temporary file that takes the place of `path` when the block ends without an error.

    A reader sees the old file or the new one, never a part, and so it is after a power cut: content and name are on the
    disk when this returns. Several processes may write one file at once; each writes a temporary file of its own. After
    an error the temporary file is removed and the old file stays.

    Args:
        path: The file to replace; its folder is made where it is missing.
        needed: About how many bytes are written, for the message.

    Raises:
        CannotSaveError: The file could not be written, e.g. on a full disk.
    """
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex[:12]}{PART}")
    try:
        with _told(path, needed):
            if not path.parent.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
            yield part
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.replace(path)
        with suppress(OSError):  # some systems cannot open or sync a folder; the content is safe already
            _sync_folder(path.parent)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def remove_parts(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder; nobody may be writing there."""
    for part in folder.glob(f"*{PART}"):
        part.unlink(missing_ok=True)


@contextmanager
def _told(path: Path, needed: int | None = None) -> Iterator[None]:
    """Inside, an OSError becomes one that names the file and says what to do."""
    try:
        yield
    except CannotSaveError:
        raise
    except OSError as error:
        raise CannotSaveError(_why(path, error, needed)) from error


def _why(path: Path, error: OSError, needed: int | None) -> str:
    said = [f"could not save {path} ({error.strerror or error})"]
    with suppress(OSError):
        free = shutil.disk_usage(path.parent).free
        said.append(f": {free / 1e6:.1f} MB are free")
        said += [] if needed is None else [f", about {needed / 1e6:.1f} MB are needed"]
    said.append("; the earlier one is kept whole" if path.exists() else "; there is no earlier one")
    return f"{''.join(said)}. Free some space or choose another folder, then start again"


def _sync_folder(folder: Path) -> None:
    """Make a new name survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
