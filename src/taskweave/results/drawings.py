"""What is drawn of a comparison: a drawing that fails costs no other, and those of before go."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, Literal

from taskweave.files import write_text
from taskweave.progress import Progress
from taskweave.results.folder import ATTENTION, CHARTS, PICTURES

DRAWN = "drawn.json"
"""{who drew: files}, so that the next comparison can delete what it does not draw again."""
STRICT: Final = "TASKWEAVE_STRICT_DRAWING"
"""The environment variable under which a drawing that fails raises, for tests."""


def draw_all(
    parts: Mapping[str, Callable[[], Iterable[Path]]], folder: Path, *, by: Literal["compare", "report"], progress: Progress
) -> tuple[Path, ...]:
    """Draw some kinds of drawings, and delete what the same caller drew before and does not draw again.

    Args:
        parts: {what it draws, for messages: draws, and yields the files}.
        folder: The comparison's, which holds all files.
        by: Whose drawings they are. The other's are left alone, and so are files that nobody's list names.
        progress: Told of each kind, and of one that fails.

    Returns:
        The files drawn, without the SVG beside a PNG.
    """
    written: list[Path] = []
    progress.begin("drawing", len(parts))
    try:
        for what, draw in parts.items():
            written += _drawn_or_noted(what, draw, progress)
            progress.advance(1)
    finally:
        progress.end()
    forget_all_but(written, folder, by=by)
    return tuple(written)


def _drawn_or_noted(what: str, draw: Callable[[], Iterable[Path]], progress: Progress) -> list[Path]:
    """The files of one kind, up to where it fails, which is noted."""
    written: list[Path] = []
    try:
        for path in draw():
            written.append(path)
    except Exception as error:  # whatever it is: the numbers are stored, and are worth more than a drawing of them
        if os.environ.get(STRICT):
            raise
        progress.note(f"could not draw {what} ({type(error).__name__}: {error}); the table and the numbers are whole")
    return written


def forget_all_but(written: Iterable[Path], folder: Path, *, by: Literal["compare", "report"]) -> None:
    """Delete the files that the list names for `by` and that are not among `written`; list what there is now."""
    files = {file for path in written for file in (path, path.with_suffix(".svg")) if file.is_file()}
    names = sorted(file.relative_to(folder).as_posix() for file in files)
    listed = _read(folder / DRAWN)
    before = listed.get(by, [])
    for name in before:
        if name not in names and Path(name).parent.as_posix() in (PICTURES, CHARTS, ATTENTION):
            (folder / name).unlink(missing_ok=True)
    if names or before:
        write_text(folder / DRAWN, json.dumps(listed | {by: names}, indent=1) + "\n")


def _read(path: Path) -> dict[str, list[str]]:
    """{who: files}; of a damaged list nothing, so that nothing is deleted."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
    except (ValueError, TypeError):
        return {}
