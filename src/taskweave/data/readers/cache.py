"""Where computed data are kept: outside the repository, written so that a killed process leaves no half file."""

from __future__ import annotations

import contextlib
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

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

    Several processes may ask at once: each writes a file of its own and renames it, so readers see a whole file or none.
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
