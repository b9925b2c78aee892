"""A comparison's folder: how it is found, its files and their names, what is kept for drawings, and which were drawn."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, final

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from taskweave.files import write_text, writing
from taskweave.progress import Progress
from taskweave.results.comparison import ComparisonResult, Row

RESULT, TABLE, NUMBERS, PAGE = "comparison.json", "table.md", "table.csv", "report.html"
PICTURES, CHARTS, ATTENTION = "pictures", "charts", "attention"
"""Folders of pictures of data, of charts, which show none, and of the masks that pictures of attention are drawn from."""
RUNS = "runs"
"""The folder of all trainings, beside those of comparisons."""
_ANEW = "the command that wrote it writes it anew"


def find_comparison(folder: Path) -> Path:
    """Return the folder of a comparison: the given one, or the only one below a folder of results.

    Raises:
        FileNotFoundError: There is no comparison.
        ValueError: There are several comparisons to choose from.
    """
    if (folder / RESULT).is_file():
        return folder
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder: give that of a comparison, which holds {RESULT}")
    found = sorted(file.parent for file in folder.glob(f"*/{RESULT}"))
    if not found:
        raise FileNotFoundError(
            f"{folder} holds no {RESULT}, nor does a folder in it: `taskweave compare` writes one; its last lines say where"
        )
    if len(found) > 1:
        raise ValueError(f"{folder} holds {len(found)} comparisons; give one of them: {', '.join(map(str, found))}")
    return found[0]


def read_comparison(folder: Path) -> ComparisonResult:
    """Read the comparison in a folder.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not a comparison.
    """
    file = folder / RESULT
    try:
        return ComparisonResult.load(file)
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is no text, so not what a comparison writes: {_ANEW}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "its text"
        raise ValueError(f"{file} is not what a comparison writes: {where}: {first['msg']}; {_ANEW}") from error


def runs_of(row: Row, folder: Path) -> list[Path]:
    """Return the folders of a row's runs.

    Args:
        folder: The comparison's folder; runs lie beside it.
    """
    return [folder.absolute().parent / RUNS / run for run in row.runs]


def file_name(name: str) -> str:
    """A name without what file systems refuse."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name)


def distinct_names(names: Iterable[str]) -> dict[str, str]:
    """{name: its file name}, no two alike, also where letters' case does not count."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain, number = file_name(name), 1
        told = plain
        while told.lower() in taken:
            number += 1
            told = f"{plain}-{number}"
        taken.add(told.lower())
        found[name] = told
    return found


FACES = "faces.json"
_IMAGES, _TITLE = "images", "title"


@final
@dataclass(frozen=True)
class FaceCounts:
    """Ages and genders of some faces.

    Args:
        ages: In years, 0 to 100.
        genders: Class numbers.
        predicted: True for a network's predictions, False for labels.
    """

    label: str
    ages: tuple[float, ...] = ()
    genders: tuple[int, ...] = ()
    predicted: bool = False


def keep_faces(series: Sequence[FaceCounts], genders: Sequence[str], folder: Path) -> None:
    """Write ages and genders to a comparison's folder.

    Args:
        genders: Names of the classes.
    """
    content = {"genders": list(genders), "series": [asdict(one) for one in series]}
    write_text(folder / FACES, json.dumps(content, ensure_ascii=False) + "\n")


def read_faces(folder: Path) -> tuple[list[FaceCounts], tuple[str, ...]]:
    """Ages and genders, and the genders' names; nothing where the comparison has no faces."""
    path = folder / FACES
    if not path.is_file():
        return [], ()
    content = json.loads(path.read_text(encoding="utf-8"))
    series = [
        FaceCounts(**one | {"ages": tuple(one["ages"]), "genders": tuple(one["genders"])}) for one in content["series"]
    ]
    return series, tuple(content["genders"])


@final
@dataclass(frozen=True)
class AttentionMasks:
    """Attention masks of one network on some pictures.

    Args:
        title: Title of the chart.
        images: RGB uint8 (B, 3, H, W).
        masks: {task: one (B, h, w) per block, the mean over channels}.
    """

    title: str
    images: NDArray[np.uint8]
    masks: Mapping[str, Sequence[NDArray[np.float32]]]


def keep_attention(attention: AttentionMasks, path: Path) -> Path:
    """Write masks and the pictures behind them to an .npz file.

    Returns:
        `path`.
    """
    arrays: dict[str, Any] = {_IMAGES: attention.images, _TITLE: np.asarray(attention.title)}
    tasks = list(attention.masks)
    arrays["tasks"] = np.asarray(tasks, dtype=np.str_)
    for number, task in enumerate(tasks):
        arrays |= {f"{number}/{block}": mask for block, mask in enumerate(attention.masks[task])}
    with writing(path) as file:
        np.savez_compressed(file, **arrays)
    return path


def read_attention(path: Path) -> AttentionMasks:
    """Read what `keep_attention` wrote."""
    with np.load(path, allow_pickle=False) as file:
        masks = {
            str(task): [file[f"{number}/{block}"] for block in range(sum(f.startswith(f"{number}/") for f in file.files))]
            for number, task in enumerate(file["tasks"])
        }
        return AttentionMasks(str(file[_TITLE]), file[_IMAGES], masks)


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
    listed = _listed(folder / DRAWN)
    before = listed.get(by, [])
    for name in before:
        if name not in names and Path(name).parent.as_posix() in (PICTURES, CHARTS, ATTENTION):
            (folder / name).unlink(missing_ok=True)
    if names or before:
        write_text(folder / DRAWN, json.dumps(listed | {by: names}, indent=1) + "\n")


def _listed(path: Path) -> dict[str, list[str]]:
    """{who: files}; of a damaged list nothing, so that nothing is deleted."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
    except (ValueError, TypeError):
        return {}
