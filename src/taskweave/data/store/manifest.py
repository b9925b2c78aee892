"""What is in a store: ``manifest.json``, written last, which makes a folder of chunks a store."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final, Literal, final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

VERSION: Final = 1
"""Raised by one whenever stores are written in a way that earlier readers cannot read."""
MANIFEST, UNFINISHED = "manifest.json", "packing.json"


@final
class DamagedStoreError(ValueError):
    """A file of a store is not what was written; the message names it."""


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class FileFacts(_Facts):
    """A file of a store."""

    file: str
    """Its path below the store, with '/' between folders."""
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


@final
class ChunkFacts(FileFacts):
    """A file of samples, as litdata lays them out."""

    items: int = Field(ge=1)


@final
class PartFacts(_Facts):
    """One part of a data set: what its samples are labelled with, and the files that they are in, in order."""

    items: int = Field(ge=1)
    labels: tuple[str, ...]
    classes: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    categories: dict[str, tuple[str, ...]] = {}
    kinds: dict[str, str] = {}
    """{value, e.g. "detection.boxes": its types in the samples, e.g. "BoundingBoxes float32"}."""
    size: tuple[int, int]
    """(height, width) of the first picture; others may have theirs."""
    labelled: dict[str, int] = {}
    """{label: how many samples have it}; the others lack it, as in the source."""
    names: FileFacts
    """JSON of the samples' keys and scenes."""
    index: FileFacts
    """litdata's index, by which its own StreamingDataset reads the part."""
    chunks: tuple[ChunkFacts, ...]


@final
class Manifest(_Facts):
    """A whole store."""

    format: Literal["taskweave-store"] = "taskweave-store"
    version: Literal[1] = VERSION
    taskweave: str
    """The version that wrote it; litdata: that of the library that laid the chunks out."""
    litdata: str
    source: dict[str, Any]
    """What was packed: the data set's description as it was given."""
    parts: dict[str, PartFacts] = Field(min_length=1)

    @property
    def digest(self) -> str:
        """SHA-256 over everything that is said here, and so, by the files' checksums, over all data."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()

    @property
    def files(self) -> tuple[FileFacts, ...]:
        """Every file of the store but the manifest."""
        return tuple(file for part in self.parts.values() for file in (part.names, part.index, *part.chunks))

    def to_text(self) -> str:
        """The manifest as a file; `read_manifest` is its inverse."""
        return json.dumps({**self.model_dump(mode="json"), "sha256": self.digest}, indent=1) + "\n"


def read_manifest(text: str, where: str) -> Manifest:
    """What `Manifest.to_text` wrote. where: for messages.

    Raises DamagedStoreError for a text that is not exactly as it was written, ValueError for another version or format.
    """
    try:
        said = json.loads(text)
    except json.JSONDecodeError as error:
        raise _damaged(where, f"it is no JSON ({error})") from error
    if not isinstance(said, dict) or said.get("format") != "taskweave-store":
        raise ValueError(f"{where} is no manifest of a taskweave store: give the folder that `taskweave pack` wrote")
    if said.get("version") != VERSION:
        raise ValueError(
            f"{where} is of version {said.get('version')}, this taskweave reads {VERSION}: pack the data again, or use the "
            f"taskweave that wrote it ({said.get('taskweave')})"
        )
    wanted = said.pop("sha256", None)
    try:
        manifest = Manifest.model_validate(said)
    except ValidationError as error:
        raise _damaged(where, f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}") from error
    if manifest.digest != wanted:
        raise _damaged(where, f"its checksum is {manifest.digest}, it says {wanted}")
    if manifest.to_text() != text:
        raise _damaged(where, "it says the same in other characters")
    return manifest


def _damaged(where: str, found: str) -> DamagedStoreError:
    return DamagedStoreError(f"{where} is not as it was written: {found}; copy the store again, or pack the data again")
