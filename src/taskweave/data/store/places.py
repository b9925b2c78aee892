"""Where a store lies: a folder, or object storage."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import final

from taskweave.data.store.checksums import require_bytes, require_whole
from taskweave.data.store.manifest import MANIFEST, UNFINISHED, ChunkFacts, FileFacts, Manifest, read_manifest


class Place(ABC):
    """Gives the files of a store, each checked against the manifest before anything is read from it. Pickles."""

    @abstractmethod
    def manifest(self) -> Manifest:
        """What is in the store. Raises FileNotFoundError where there is none, ValueError for an unfinished packing."""

    @abstractmethod
    def contents(self, facts: FileFacts) -> bytes:
        """A small file."""

    @abstractmethod
    def chunk(self, facts: ChunkFacts) -> Path:
        """A chunk, as a whole file on this machine."""

    def begin_ahead(self, chunks: Sequence[ChunkFacts]) -> None:  # noqa: B027 - most have nothing to do
        """The chunks that will be asked for soon, the next one first."""


@final
class Folder(Place):
    """A store on a disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def manifest(self) -> Manifest:
        path = self.root / MANIFEST
        try:
            text = path.read_bytes().decode(errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            raise _no_store(self.root) from None
        return read_manifest(text, str(path))

    def contents(self, facts: FileFacts) -> bytes:
        path = self.root / facts.file
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise FileNotFoundError(f"{path} does not exist: the store's manifest names it; copy the store again") from None
        require_bytes(data, facts, str(path))
        return data

    def chunk(self, facts: ChunkFacts) -> Path:
        path = self.root / facts.file
        require_whole(path, facts)
        return path


def _no_store(root: Path) -> Exception:
    unfinished = root / UNFINISHED
    if not unfinished.exists():
        found = "is no folder" if not root.is_dir() else f"has no {MANIFEST}"
        return FileNotFoundError(f"{root} {found}: expected a store; write one with `taskweave pack DATASET {root}`")
    try:
        done, total = (json.loads(unfinished.read_text())[name] for name in ("done", "total"))
        how_far = f" ({done:,} of {total:,} samples)"
    except (OSError, ValueError, KeyError):
        how_far = ""
    return ValueError(f"{root} is an unfinished packing{how_far}: the same `taskweave pack` goes on where it stopped")
