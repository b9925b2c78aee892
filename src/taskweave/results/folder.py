"""Where a comparison lies, and what is in its folder."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from taskweave.results.comparison import ComparisonResult

RESULT, TABLE, NUMBERS = "comparison.json", "table.md", "table.csv"
PICTURES, CHARTS = "pictures", "charts"
"""Folders of what shows data, and of what does not."""
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
