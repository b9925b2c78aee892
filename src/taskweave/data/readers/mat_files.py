"""MATLAB's files up to version 7.2."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def mat_structure(path: Path, name: str, fields: Sequence[str]) -> Any:
    """The structure `name` of a .mat file, which must have `fields`.

    Raises FileNotFoundError where there is no file, ValueError for another file and for a missing field.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: expected a MATLAB file with the structure {name}; restore it")
    try:
        structure = loadmat(path, appendmat=False)[name][0, 0]
    except (MatReadError, ValueError, TypeError, LookupError, OSError, NotImplementedError, zlib.error) as error:
        raise ValueError(
            f"{path} is not a readable {path.suffix} file, a MATLAB file with the structure {name} ({error!r})"
        ) from error
    missing = [field for field in fields if field not in (structure.dtype.names or ())]
    if missing:
        raise ValueError(f"{path} has no {missing[0]!r} in its structure {name}: expected {', '.join(fields)}")
    return structure
