"""Where a comparison lies, what is in its folder, and how files are called after methods and columns."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from taskweave.results.comparison import ComparisonResult, Row

RESULT, TABLE, NUMBERS, PAGE = "comparison.json", "table.md", "table.csv", "report.html"
PICTURES, CHARTS, ATTENTION = "pictures", "charts", "attention"
"""Folders of pictures of data, of charts, which show none, and of the masks that pictures of attention are drawn from."""
RUNS = "runs"
"""The folder of all trainings, beside those of comparisons."""
_ANEW = "the command that wrote it writes it anew"


def find_comparison(folder: Path) -> Path:
    """The folder of a comparison: the one given, or the only one below a folder of results.

    Raises FileNotFoundError where there is none, ValueError where there are several to choose from.
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
    """What lies in the folder of a comparison. Raises OSError, or ValueError for a file that is no comparison."""
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
    """The folders of a row's runs. folder: the comparison's, beside which runs lie."""
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
