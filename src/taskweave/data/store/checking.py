"""Reads a whole store again and says which files are not as they were written."""

from __future__ import annotations

from pathlib import Path

from taskweave.data.store.checksums import require_whole
from taskweave.data.store.manifest import DamagedStoreError
from taskweave.data.store.packing import Nobody, Watcher
from taskweave.data.store.places import Folder


def faults(path: Path, *, watcher: Watcher | None = None) -> list[str]:
    """What is wrong with each damaged or missing file of the store in the folder `path`; [] for a whole store.

    Every byte is read, whatever was looked at before. Raises as `Folder.manifest` does where there is no manifest to go by.
    """
    watcher = watcher or Nobody()
    files = Folder(path).manifest().files
    found = []
    watcher.begin("checking files", len(files))
    for facts in files:
        try:
            require_whole(path / facts.file, facts, again=True)
        except (FileNotFoundError, DamagedStoreError) as error:
            found.append(str(error))
        watcher.advance(1)
    watcher.end()
    return found
