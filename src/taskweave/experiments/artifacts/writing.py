"""What a comparison keeps of its networks for pages: pictures, masks of attention, and what is said of faces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from taskweave.experiments.artifacts.faces import write_faces
from taskweave.experiments.artifacts.pictures import write_attention, write_masks_and_boxes, write_pictures
from taskweave.experiments.bench import Bench
from taskweave.experiments.plan import Entry
from taskweave.experiments.running import find_record
from taskweave.progress import Progress
from taskweave.results.folder import ATTENTION, PICTURES, draw_all, forget_all_but


def write_drawings(
    rows: Sequence[Entry], bench: Bench, *, root: Path, folder: Path, progress: Progress
) -> tuple[Path, ...]:
    """Write everything that networks are needed for, of the finished rows: all else is drawn from files.

    root: holds the runs.  folder: the comparison's own.  What cannot be written is noted and costs nothing else. What an
    earlier call drew and this one does not, e.g. of a method that the recipe has no more, is deleted; no other file is.
    Returns the files: PNGs under ``pictures``, which show data, and the masks under ``attention``.
    """
    done = [entry for entry in rows if all(find_record(run, root) is not None for run in entry.runs)]
    if not done:
        forget_all_but((), folder, by="compare")
        return ()
    pictures = folder / PICTURES

    def faces() -> Iterable[Path]:
        write_faces(done, bench, root=root, folder=folder)
        return ()

    parts: dict[str, Callable[[], Iterable[Path]]] = {
        "pictures": lambda: write_pictures(done, bench, root=root, place=pictures),
        "masks and boxes": lambda: write_masks_and_boxes(done, bench, root=root, place=pictures),
        "attention": lambda: write_attention(done, bench, root=root, place=folder / ATTENTION),
        "faces": faces,
    }
    return draw_all(parts, folder, by="compare", progress=progress)
