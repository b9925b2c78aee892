"""What a comparison leaves in its folder: numbers, table, charts and pictures."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from taskweave.experiments.artifacts.charting import PARTS, Drawn
from taskweave.experiments.artifacts.overlays import write_masks_and_boxes
from taskweave.experiments.artifacts.picturing import write_pictures
from taskweave.experiments.bench import Bench
from taskweave.experiments.plan import Entry
from taskweave.experiments.running import find_record
from taskweave.files import write_text
from taskweave.progress import Progress
from taskweave.reporting.formats import to_csv, to_markdown
from taskweave.reporting.tables import table_of
from taskweave.results.comparison import ComparisonResult
from taskweave.results.folder import CHARTS, NUMBERS, PICTURES, RESULT, TABLE

DRAWN = "drawn.json"
"""What the last comparison drew, so that the next one can take away what it does not draw again."""
STRICT: Final = "TASKWEAVE_STRICT_DRAWING"
"""The environment variable under which a drawing that fails is raised, for tests."""


def write_tables(result: ComparisonResult, folder: Path) -> None:
    """comparison.json, table.md and table.csv, each whole or not at all."""
    table = table_of(result)
    write_text(folder / TABLE, to_markdown(table))
    write_text(folder / NUMBERS, to_csv(table))
    result.save(folder / RESULT)


def write_drawings(
    rows: Sequence[Entry], result: ComparisonResult, bench: Bench, *, root: Path, folder: Path, progress: Progress
) -> tuple[Path, ...]:
    """Everything that is drawn of the finished rows, pictures first: PNGs under ``pictures``, which show data, and under
    ``charts``, which do not, each of these with an SVG beside it.

    root: holds the runs.  folder: the comparison's own.  A drawing that fails is noted and costs no other. What an earlier
    call drew and this one does not, e.g. of a method that the recipe has no more, is deleted; no other file is.
    """
    done = [entry for entry in rows if all(find_record(run, root) is not None for run in entry.runs)]
    if not done:
        _forget_all_but((), folder)
        return ()
    pictures, charts = folder / PICTURES, folder / CHARTS
    drawn = Drawn(done, result, bench, root, charts)
    parts: dict[str, Callable[[], Iterable[Path]]] = {
        "pictures": lambda: write_pictures(done, bench, root=root, place=pictures),
        "masks and boxes": lambda: write_masks_and_boxes(done, bench, root=root, place=pictures),
        **{what: partial(part, drawn) for what, part in PARTS.items()},
    }
    charts.mkdir(exist_ok=True)
    written: list[Path] = []
    progress.begin("drawing", len(parts))
    try:
        for what, draw in parts.items():
            written += drawn_or_noted(what, draw, progress)
            progress.advance(1)
    finally:
        progress.end()
    _forget_all_but(written, folder)
    return tuple(written)


def _forget_all_but(written: Iterable[Path], folder: Path) -> None:
    """Delete the drawings that the folder's list names and this comparison has not written, and list what it has."""
    place, files = folder / DRAWN, {file for path in written for file in (path, path.with_suffix(".svg")) if file.is_file()}
    names = sorted(file.relative_to(folder).as_posix() for file in files)
    try:
        before = json.loads(place.read_text(encoding="utf-8")) if place.is_file() else []
    except ValueError:  # damaged: nothing is deleted
        before = []
    for name in before:
        if name not in names and Path(name).parent.as_posix() in (PICTURES, CHARTS):
            (folder / name).unlink(missing_ok=True)
    if names or before:
        write_text(place, json.dumps(names, indent=1) + "\n")


def drawn_or_noted(what: str, draw: Callable[[], Iterable[Path]], progress: Progress) -> list[Path]:
    """The files of one part, up to where it fails, which is noted."""
    written: list[Path] = []
    try:
        for path in draw():
            written.append(path)
    except Exception as error:  # whatever it is: the numbers are stored, and are worth more than a drawing of them
        if os.environ.get(STRICT):
            raise
        progress.note(f"could not draw {what} ({type(error).__name__}: {error}); the table and the numbers are whole")
    return written
