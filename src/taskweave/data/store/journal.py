"""How far a packing is: ``packing.json``, written after every chunk, gone when the store is whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

from pydantic import BaseModel, ConfigDict, ValidationError

from taskweave.data.dataset import LabelledSet
from taskweave.data.store.manifest import UNFINISHED, VERSION, ChunkFacts
from taskweave.data.store.writing import write_text


@final
class Described(BaseModel):
    """What a data set says of itself without reading any sample."""

    model_config = ConfigDict(frozen=True)

    labels: tuple[str, ...]
    classes: tuple[str, ...]
    objects: tuple[str, ...]
    attributes: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    keys: tuple[str, ...]
    scenes: tuple[str, ...]


def described(dataset: LabelledSet, part: str) -> Described:
    """Raises ValueError for an empty data set, or one with a key twice."""
    indices = range(len(dataset))
    keys = tuple(dataset.key(index) for index in indices)
    if not keys:
        raise ValueError(f"the part {part!r} has no samples: there is nothing to pack; give another split or path")
    if len(set(keys)) < len(keys):
        twice = next(key for at, key in enumerate(keys) if key in keys[:at])
        raise ValueError(f"the part {part!r} names {twice!r} twice: keys are unique; correct the data set")
    return Described(
        labels=tuple(dataset.labels),
        classes=tuple(dataset.classes),
        objects=tuple(dataset.objects),
        attributes=tuple(dataset.attributes),
        categories={label: tuple(names) for label, names in dataset.categories.items()},
        keys=keys,
        scenes=tuple(dataset.scene(index) for index in indices),
    )


def identity(parts: Mapping[str, Described], chunk_bytes: int) -> str:
    """What must be equal for one packing to go on where another stopped."""
    said = {name: part.model_dump(mode="json") for name, part in parts.items()}
    return hashlib.sha256(json.dumps([VERSION, chunk_bytes, said], sort_keys=True).encode()).hexdigest()


@final
class PartJournal(BaseModel):
    """What is written of a part. config: what litdata says of these chunks; size: of the first picture; None before it."""

    model_config = ConfigDict(frozen=True)

    chunks: tuple[ChunkFacts, ...] = ()
    kinds: dict[str, tuple[str, ...]] = {}
    labelled: dict[str, int] = {}
    config: dict[str, Any] | None = None
    size: tuple[int, int] | None = None

    @property
    def done(self) -> int:
        return sum(chunk.items for chunk in self.chunks)

    def with_chunk(
        self, chunk: ChunkFacts, kinds: Sequence[Mapping[str, str]], config: dict[str, Any], size: tuple[int, int]
    ) -> PartJournal:
        """kinds: of each sample, the types of its values, by their names with dots between levels."""
        types = {name: dict.fromkeys(known) for name, known in self.kinds.items()}
        labelled = dict(self.labelled)
        for sample in kinds:
            for name, kind in sample.items():
                types.setdefault(name, {})[kind] = None
            for label in {name.split(".")[0] for name in sample}:
                labelled[label] = labelled.get(label, 0) + 1
        known = {name: tuple(sorted(found)) for name, found in types.items()}
        chunks = (*self.chunks, chunk)
        return PartJournal(chunks=chunks, kinds=known, labelled=labelled, config=config, size=self.size or size)


@final
class Journal(BaseModel):
    """What is written of a store. done, total: samples, of all parts."""

    model_config = ConfigDict(frozen=True)

    identity: str
    total: int
    done: int = 0
    parts: dict[str, PartJournal] = {}

    def with_part(self, name: str, part: PartJournal) -> Journal:
        parts = {**self.parts, name: part}
        done = sum(one.done for one in parts.values())
        return Journal(identity=self.identity, total=self.total, done=done, parts=parts)

    def save(self, folder: Path) -> None:
        write_text(folder / UNFINISHED, self.model_dump_json())


def read_journal(folder: Path) -> Journal | None:
    """The journal of an unfinished packing; None where there is none, or an unreadable one: then packing starts anew."""
    try:
        return Journal.model_validate_json((folder / UNFINISHED).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError, UnicodeDecodeError):
        return None
