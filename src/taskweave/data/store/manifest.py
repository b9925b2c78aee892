"""What a store holds: ``manifest.json``, written last, which makes a folder a store."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import time
from pathlib import Path
from typing import Any, Final, Literal, final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from taskweave.data.readers.arrays import cache_folder

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
    """Return the error to raise for a damaged file.

    Args:
        found: What was found, and what was expected.
    """
    return DamagedStoreError(
        f"{where} is not as it was written: {found}; copy this file again, or pack the data again "
        "(`taskweave pack STORE --check` names every such file)"
    )


_SETTLED = 2.0
"""Seconds: a file changed more recently than that may change again within the clock's resolution, unnoticed."""


def sha256_of(path: Path) -> str:
    """The checksum of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def inside(folder: Path, name: str) -> Path:
    """Return the path of the file `name` in the folder.

    Raises:
        DamagedStoreError: It is a link, which may lead out of the folder.
    """
    path = folder / name
    if path.is_symlink():
        raise damaged(path, f"it is a link to {path.readlink()}, expected the file itself")
    return path


def require_whole(folder: Path, facts: ShardFacts, *, again: bool = False) -> Path:
    """Return the path of a store's file after checking that it holds the bytes that were written.

    Its checksum is computed once per machine and remembered in the cache folder until the file's size or times change.

    Args:
        again: Compute the checksum even if it is remembered.

    Raises:
        FileNotFoundError: The file is missing.
        DamagedStoreError: It is a link, or its size or checksum differs.
    """
    path = inside(folder, facts.file)
    try:
        found = path.stat()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} does not exist: the store's manifest names it; copy the store again") from None
    if found.st_size != facts.bytes:
        raise damaged(path, f"it has {found.st_size:,} bytes, expected {facts.bytes:,}")
    seen = f"{facts.sha256} {found.st_size} {found.st_mtime_ns} {found.st_ino}"
    mark = cache_folder() / "stores" / "seen" / hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:32]
    with contextlib.suppress(OSError):
        if not again and mark.read_text() == seen:
            return path
    if (digest := sha256_of(path)) != facts.sha256:
        raise damaged(path, f"its SHA-256 is {digest[:12]}..., expected {facts.sha256[:12]}...")
    if time.time() - found.st_mtime > _SETTLED:
        with contextlib.suppress(OSError):  # without a cache it is taken again next time
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.write_text(seen)
    return path


def is_whole(folder: Path, facts: ShardFacts, *, again: bool = False) -> bool:
    """Whether `require_whole` raises nothing."""
    with contextlib.suppress(FileNotFoundError, DamagedStoreError):
        return bool(require_whole(folder, facts, again=again))
    return False
