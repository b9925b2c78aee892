"""What a store holds: ``manifest.json``, written last, which makes a folder a store."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final, Literal, final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

VERSION: Final = 2
"""Raised whenever stores are written in a way that earlier readers cannot read."""
MANIFEST, UNFINISHED = "manifest.json", "packing.json"


@final
class DamagedStoreError(ValueError):
    """A file of a store is not what was written; the message names it."""


class Facts(BaseModel):
    """Something that is said in JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


@final
class ShardFacts(Facts):
    """One file: samples of a part that follow each other."""

    file: str
    """`shard_name` of the part and the file's number, and nothing else."""
    bytes: int = Field(ge=1)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    items: int = Field(ge=1)


class Described(Facts):
    """What a data set says of itself without reading any sample."""

    labels: tuple[str, ...]
    classes: tuple[str, ...]
    objects: tuple[str, ...]
    attributes: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    keys: tuple[str, ...]
    scenes: tuple[str, ...]


@final
class PartFacts(Described):
    """One part of a data set: what its samples are labelled with, and the files they are in, in order."""

    items: int
    kinds: dict[str, str]
    """{value, e.g. "detection.boxes": its types in the samples, e.g. "BoundingBoxes float32 XYXY"}."""
    size: tuple[int, int]
    """(height, width) of the first picture; others may differ."""
    labelled: dict[str, int]
    """{label: how many samples have it}."""
    shards: tuple[ShardFacts, ...]


@final
class Manifest(Facts):
    """A whole store."""

    format: Literal["taskweave-store"] = "taskweave-store"
    version: Literal[2] = VERSION
    taskweave: str
    """The version that wrote it."""
    source: dict[str, Any]
    """What was packed: the data set's description as it was given."""
    parts: dict[str, PartFacts] = Field(min_length=1)

    @model_validator(mode="after")
    def _agrees(self) -> Manifest:
        for name, part in self.parts.items():
            require_part_name(name)
            for number, shard in enumerate(part.shards):
                if shard.file != shard_name(name, number):
                    raise ValueError(f"it names the file {shard.file!r}, expected {shard_name(name, number)!r}")
            counts = (part.items, len(part.keys), len(part.scenes), sum(shard.items for shard in part.shards))
            if len(set(counts)) > 1:
                raise ValueError("{} has {} items, {} keys, {} scenes, {} samples in files".format(name, *counts))
        return self

    @property
    def digest(self) -> str:
        """SHA-256 over everything that is said here, and so, by the files' checksums, over all data."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()

    @property
    def files(self) -> tuple[ShardFacts, ...]:
        """Every file of the store but the manifest."""
        return tuple(shard for part in self.parts.values() for shard in part.shards)

    def to_text(self) -> str:
        """The manifest as a file; `read_manifest` is its inverse."""
        return json.dumps({**self.model_dump(mode="json"), "sha256": self.digest}) + "\n"


def shard_name(part: str, number: int) -> str:
    """The name of a part's file, e.g. ``train-00000.arrow``."""
    return f"{part}-{number:05}.arrow"


def require_part_name(name: str) -> None:
    """Raise ValueError for a name that is more than a part of a file's name."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise ValueError(f"{name!r} cannot be a part's name: files are called so, by letters, digits, '_', '-' and '.'")


def read_manifest(text: str, where: str) -> Manifest:
    """What `Manifest.to_text` wrote.

    Args:
        where: Its path or address, for messages.

    Raises:
        DamagedStoreError: The text is not exactly as it was written, or names a file that no store has.
        ValueError: It is of another version or format.
    """
    try:
        said = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise damaged(where, f"it is no JSON ({error})") from error
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
        raise damaged(where, f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}") from error
    if manifest.digest != wanted:
        raise damaged(where, f"its checksum is {manifest.digest}, it says {wanted}")
    if manifest.to_text() != text:
        raise damaged(where, "it says the same in other characters")
    return manifest


def damaged(where: Path | str, found: str) -> DamagedStoreError:
    """The error to raise. found: what is there, and what was expected."""
    return DamagedStoreError(
        f"{where} is not as it was written: {found}; copy this file again, or pack the data again "
        "(`taskweave pack STORE --check` names every such file)"
    )
