"""Arrays in files: HDF5, MATLAB's up to version 7.2, and what is computed once and kept in a cache."""

from __future__ import annotations

import contextlib
import os
import sys
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from taskweave.files import writing


def cache_folder() -> Path:
    """``$TASKWEAVE_CACHE``, or the platform's cache folder for taskweave. Not created here."""
    if named := os.environ.get("TASKWEAVE_CACHE"):
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "taskweave"


def cached_array(path: Path, build: Callable[[], npt.NDArray[np.generic]]) -> npt.NDArray[np.generic]:
    """The array stored in `path` (.npz), built and stored first where there is none that can be read.

    A cache that cannot be written is no error: the array is built again next time.
    """
    try:
        with np.load(path) as stored:
            return np.asarray(stored["array"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # not there, or cut short by an older crash
    array = build()
    with contextlib.suppress(OSError), writing(path) as file:
        np.savez_compressed(file, array=array)
    return array


def h5_file(path: Path) -> Any:
    """Return the open HDF5 file, the same object each time within a process.

    HDF5's handles do not survive a fork, so each process opens its own.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is truncated or not HDF5.
        ImportError: h5py is not installed.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there: expected an HDF5 file; give the folder that holds it")
    return _opened(str(path), path.stat().st_mtime_ns, os.getpid())


@lru_cache(maxsize=16)
def _opened(path: str, changed: int, process: int) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise ImportError(f"reading {path} needs h5py: pip install taskweave[data]") from error
    try:
        return h5py.File(path, "r")
    except OSError as error:
        found = f"{path} is not a readable {Path(path).suffix} file, a whole HDF5 file ({error})"
        raise ValueError(f"{found}: copy, download or write it again") from error


def h5_array(path: Path, name: str) -> Any:
    """The array (not read yet) that an HDF5 file holds under `name`, or the only one in it."""
    file = h5_file(path)
    import h5py  # behind the line that says what to install

    arrays = {key: value for key, value in file.items() if isinstance(value, h5py.Dataset)}
    if name in arrays or len(arrays) == 1:
        return arrays.get(name) or next(iter(arrays.values()))
    raise ValueError(f"{path} has the arrays {sorted(arrays)}: expected one, {name!r}")


def mat_structure(path: Path, name: str, fields: Sequence[str]) -> Any:
    """Return the structure `name` of a .mat file.

    Args:
        fields: The fields that the structure must have.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not a readable .mat file with that structure, or a field is missing.
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
