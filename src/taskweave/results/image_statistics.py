"""What each test image contributes to a run's numbers, kept beside its weights: ``images.npz``."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskweave.files import writing
from taskweave.metrics.metric import restored
from taskweave.metrics.per_image import PerImage

IMAGES = "images.npz"
_COLUMNS, _KNOWN_BY = "columns", "known_by"
_DAMAGE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)

_Arrays = dict[str, NDArray[Any]]


def keep_images(measured: Mapping[str, PerImage], keys: Mapping[str, Sequence[str]], folder: Path) -> None:
    """Write what each image contributed to some columns beside a run's weights; other columns already stored stay.

    The file is written even without columns: it shows that the run was measured this way.

    Args:
        keys: {column: the names of its part's images, in order}; a digest of them is stored.

    Raises:
        OSError: The file cannot be written.
        ValueError: The existing file is damaged.
    """
    columns = _read(folder)
    for column, images in measured.items():
        columns[column] = (_digest(keys[column], images.count), images.stored())
    arrays: dict[str, Any] = {
        _COLUMNS: np.asarray(list(columns), dtype=np.str_),
        _KNOWN_BY: np.asarray([known_by for known_by, _ in columns.values()], dtype=np.str_),
    }
    for number, (_, own) in enumerate(columns.values()):
        arrays |= {f"{number}/{name}": array for name, array in own.items()}

    with writing(folder / IMAGES) as file:
        np.savez_compressed(file, **arrays)


def has_images(folder: Path) -> bool:
    """Whether a run's folder holds what its images contributed; runs of earlier versions do not."""
    return (folder / IMAGES).is_file()


def read_images(folder: Path, column: str) -> PerImage | None:
    """Read what each image contributed to a column; None if that is not stored.

    It is not stored for columns of earlier versions, nor for columns whose numbers are a mean over validations: the images
    would be those of the final weights, which are another network.

    Raises:
        ValueError: The file is damaged; the message says what to do.
    """
    found = _read(folder, column).get(column)
    if found is None:
        return None
    try:
        return restored(found[1])
    except _DAMAGE as error:
        raise _damaged(folder, error) from error


def read_known_by(folder: Path, column: str) -> str | None:
    """Read the digest of a column's image names in order; None if per-image statistics are not stored.

    Numbers can be paired only if they are of the same images, that is, if their digests are equal.

    Raises:
        ValueError: The file is damaged; the message says what to do.
    """
    found = _read(folder, column).get(column)
    return None if found is None else found[0]


def _read(folder: Path, column: str | None = None) -> dict[str, tuple[str, _Arrays]]:
    """{column: (what its images are known by, their arrays)}, of one column or all."""
    if not has_images(folder):
        return {}
    try:
        with np.load(folder / IMAGES, allow_pickle=False) as file:
            found: dict[str, tuple[str, _Arrays]] = {}
            for number, (name, known_by) in enumerate(zip(file[_COLUMNS], file[_KNOWN_BY], strict=True)):
                if column is None or name == column:
                    own = [key for key in file.files if key.startswith(f"{number}/")]
                    arrays = {key.removeprefix(f"{number}/"): file[key] for key in own}
                    found[str(name)] = (str(known_by), arrays)
            return found
    except _DAMAGE as error:
        raise _damaged(folder, error) from error


def _damaged(folder: Path, error: Exception) -> ValueError:
    return ValueError(
        f"{folder / IMAGES} is damaged ({error}); delete it, and the next comparison measures this run anew from its "
        "weights"
    )


def _digest(keys: Sequence[str], count: int) -> str:
    """Of the part's images and how many of them are labelled for the task: 16 hex digits of SHA-256."""
    return hashlib.sha256("\n".join([str(count), *keys]).encode()).hexdigest()[:16]
