"""Writes a data set into a store, file after file, so that a broken packing goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

from pydantic import BaseModel, ValidationError

import taskweave
from taskweave.data.dataset import LabelledSet
from taskweave.data.store.manifest import (
    MANIFEST,
    UNFINISHED,
    VERSION,
    Described,
    Manifest,
    PartFacts,
    ShardFacts,
    is_whole,
    read_manifest,
    require_part_name,
    shard_name,
)
from taskweave.data.store.samples import encode, map_shard, write_shard
from taskweave.files import remove_parts, write_bytes
from taskweave.progress import Progress, Silent

SHARD_BYTES = 32 << 20
"""About how large a file is: what is checked and fetched at once, and what at most is packed again after a break."""
_LOCK = "packing.lock"


@final
class Journal(BaseModel):
    """How far packing has come.

    Args:
        identity: What must be equal for packing to continue.
        total: Number of samples in all parts.
        done: Number of those that are packed.
    """

    identity: str = ""
    total: int
    done: int = 0
    shards: dict[str, list[ShardFacts]] = {}

    def save(self, out: Path) -> None:
        self.done = sum(shard.items for shards in self.shards.values() for shard in shards)
        write_bytes(out / UNFINISHED, self.model_dump_json().encode())


def read_journal(out: Path) -> Journal | None:
    """The journal of an unfinished packing; None where there is none, or an unreadable one: then packing starts anew."""
    try:
        return Journal.model_validate_json((out / UNFINISHED).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def pack_store(
    parts: Mapping[str, LabelledSet],
    out: Path,
    *,
    source: Mapping[str, Any] | None = None,
    shard_bytes: int = SHARD_BYTES,
    progress: Progress | None = None,
) -> Manifest:
    """Write a data set's parts, e.g. ``{"train": ..., "test": ...}``, into the store `out` (needs taskweave[store]).

    A packing that was broken off goes on with the file it was in; until the manifest is written `out` is no store to any
    reader. A store that holds these samples already is left as it is.

    Args:
        source: What was packed, in JSON's types, kept in the manifest.
        shard_bytes: About how large each file is.

    Raises:
        ValueError: `out` holds anything else, two processes pack into it, or a part has no samples.
        TypeError: A sample has a value that a store cannot hold.
        OSError: E.g. a full disk; what is written stays.
    """
    for name in parts:
        require_part_name(name)
    said = {name: _described(part, name) for name, part in parts.items()}
    if not said:
        raise ValueError("there are no parts to pack: give at least one, e.g. {'train': ...}")
    out.mkdir(parents=True, exist_ok=True)
    with _alone(out):
        if (out / MANIFEST).exists():
            return _whole_already(out, said)
        remove_parts(out)
        journal = _journal(out, said, shard_bytes)
        for name, part in parts.items():
            _pack(out, name, part, shard_bytes, journal, progress or Silent())
        manifest = _manifest(out, said, journal, source or {})
        write_bytes(out / MANIFEST, manifest.to_text().encode())
        (out / UNFINISHED).unlink()
    return manifest


def _described(dataset: LabelledSet, part: str) -> Described:
    indices = range(len(dataset))
    keys = tuple(dataset.key(index) for index in indices)
    if not keys:
        raise ValueError(f"the part {part!r} has no samples: there is nothing to pack; give another split or path")
    (twice, times), *_ = Counter(keys).most_common(1)
    if times > 1:
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


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(out / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise ValueError(f"another process is packing into {out}: wait for it, or give another folder") from error
    try:
        yield
    finally:
        (out / _LOCK).unlink(missing_ok=True)
        lock.release()


def _whole_already(out: Path, said: Mapping[str, Described]) -> Manifest:
    manifest = read_manifest((out / MANIFEST).read_text(encoding="utf-8"), str(out / MANIFEST))
    held = [{name: (part.keys, part.scenes, part.labels) for name, part in of.items()} for of in (manifest.parts, said)]
    if held[0] != held[1]:
        raise ValueError(f"{out} is a store of other samples or labels: give another folder, or delete it")
    (out / UNFINISHED).unlink(missing_ok=True)
    return manifest


def _journal(out: Path, said: Mapping[str, Described], shard_bytes: int) -> Journal:
    """The one that is there, or a new one."""
    facts = {name: part.model_dump() for name, part in said.items()}
    mine = hashlib.sha256(json.dumps([VERSION, shard_bytes, facts], sort_keys=True).encode()).hexdigest()
    there = read_journal(out)
    if there is None:
        strange = sorted(path.name for path in out.iterdir() if path.name not in (_LOCK, UNFINISHED, f"{UNFINISHED}.part"))
        if strange and not (out / UNFINISHED).exists():
            raise ValueError(f"{out} is not empty (it has {strange[0]!r}) and no store: give a folder that is new or empty")
        return Journal(identity=mine, total=sum(len(part.keys) for part in said.values()))
    if there.identity != mine:
        raise ValueError(
            f"{out} is an unfinished packing ({there.done:,} of {there.total:,} samples) of other samples, labels or shard "
            "size: give another folder, or delete this one"
        )
    return there


def _pack(out: Path, name: str, dataset: LabelledSet, shard_bytes: int, journal: Journal, progress: Progress) -> None:
    """Write the part's samples that are not written yet; every finished file is noted in the journal at once."""
    shards = journal.shards.setdefault(name, [])
    for number, facts in enumerate(shards):
        if facts.file != shard_name(name, number) or not is_whole(out, facts, again=True):
            del shards[number:]
            break
    journal.save(out)
    done, rows, size = sum(shard.items for shard in shards), [], 0
    progress.begin(f"packing {name}", len(dataset), done=done)
    for index in range(done, len(dataset)):
        rows.append(_row(dataset, name, index))
        size += sum(len(value) for value in rows[-1].values())
        if size >= shard_bytes or index + 1 == len(dataset):
            shards.append(write_shard(out / shard_name(name, len(shards)), rows))
            journal.save(out)
            rows, size = [], 0
        progress.advance(1)
    progress.end()


def _row(dataset: LabelledSet, part: str, index: int) -> dict[str, Any]:
    sample = dataset[index]
    key, expected = sample["key"], dataset.key(index)
    if key != expected:
        raise ValueError(f"sample {index} of {part} says its key is {key!r}, its data set {expected!r}: correct it")
    try:
        return encode(sample)
    except TypeError as error:
        raise TypeError(f"{part}, {key}: {error}") from error


def _manifest(out: Path, said: Mapping[str, Described], journal: Journal, source: Mapping[str, Any]) -> Manifest:
    """What was written, read back from the files: also the proof that they can be read."""
    parts = {}
    for name, part in said.items():
        shards = [(map_shard(out / facts.file, facts), facts) for facts in journal.shards[name]]
        forms = [shard.row(at).form for shard, facts in shards for at in range(facts.items)]
        kinds: dict[str, set[str]] = {}
        for leaf in (leaf for form in forms for leaf in form.values()):
            kinds.setdefault(leaf.name, set()).add(f"{leaf.kind} {leaf.dtype} {leaf.format}".strip())
        has = Counter(label for form in forms for label in {leaf.at[0] for leaf in form.values()})
        parts[name] = PartFacts(
            **part.model_dump(),
            items=len(part.keys),
            kinds={value: " or ".join(sorted(types)) for value, types in kinds.items()},
            size=forms[0]["image"].shape[-2:],
            labelled={label: has[label] for label in part.labels},
            shards=tuple(journal.shards[name]),
        )
    return Manifest(taskweave=taskweave.__version__, source=dict(source), parts=parts)
