"""Writes a data set into a store, chunk after chunk, so that a broken packing goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, final

import taskweave
from taskweave.data.dataset import LabelledSet
from taskweave.data.store.checksums import require_whole, sha256_of
from taskweave.data.store.chunk import map_chunk
from taskweave.data.store.journal import Described, Journal, PartJournal, described, identity, read_journal
from taskweave.data.store.manifest import (
    MANIFEST,
    UNFINISHED,
    ChunkFacts,
    DamagedStoreError,
    FileFacts,
    Manifest,
    PartFacts,
    read_manifest,
)  # fmt: skip
from taskweave.data.store.record import encode, image_size, kinds_of
from taskweave.data.store.writing import settle, write_text

CHUNK_BYTES = 32 << 20
"""About how large a chunk is: what is read, checked and fetched at once, and what at most is packed again after a break."""
_LOCK = "packing.lock"
_INDEX, _NAMES = "index.json", "names.json"


class Watcher(Protocol):
    """Is told how far a packing is."""

    def begin(self, what: str, total: int, *, done: int = 0) -> None: ...

    def advance(self, done: int) -> None: ...

    def end(self) -> None: ...


@final
class Nobody:
    """Is told and does nothing."""

    def begin(self, what: str, total: int, *, done: int = 0) -> None: ...

    def advance(self, done: int) -> None: ...

    def end(self) -> None: ...


def pack_store(
    parts: Mapping[str, LabelledSet],
    out: Path,
    *,
    source: Mapping[str, Any] | None = None,
    chunk_bytes: int = CHUNK_BYTES,
    watcher: Watcher | None = None,
) -> Manifest:
    """Write a data set's parts, e.g. ``{"train": ..., "test": ...}``, into the store `out` (needs taskweave[store]).

    A packing that was broken off goes on with the chunk it was in; until the last file is written `out` is no store to any
    reader. A store that holds these samples already is left as it is.

    source: what was packed, in JSON's types, kept in the manifest.

    Raises ValueError where `out` holds anything else, or two processes pack into it, and for a part without samples;
    TypeError for a sample with a value that a store cannot hold. OSError (a full disk) leaves what is written.
    """
    if wrong := [name for name in parts if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name)]:
        raise ValueError(
            f"{wrong[0]!r} cannot be a part's name: a folder is called so, by letters, digits, '_', '-' and '.'"
        )
    said = {name: described(part, name) for name, part in parts.items()}
    if not said:
        raise ValueError("there are no parts to pack: give at least one, e.g. {'train': ...}")
    out.mkdir(parents=True, exist_ok=True)
    with _alone(out):
        if (out / MANIFEST).exists():
            return _whole_already(out, said)
        journal = _journal(out, said, chunk_bytes)
        watcher = watcher or Nobody()
        for name, part in parts.items():
            journal = _Part(out, name, part, chunk_bytes, watcher).write(journal)
        manifest = _manifest(out, said, journal, source or {})
        write_text(out / MANIFEST, manifest.to_text())
        (out / UNFINISHED).unlink()
    return manifest


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
    kept = {name: (part.names.sha256, part.labels) for name, part in manifest.parts.items()}
    if kept != {name: (_digest(_names(part)), part.labels) for name, part in said.items()}:
        raise ValueError(f"{out} is a store of other samples or labels: give another folder, or delete it")
    (out / UNFINISHED).unlink(missing_ok=True)
    return manifest


def _journal(out: Path, said: Mapping[str, Described], chunk_bytes: int) -> Journal:
    """The one that is there, or a new one."""
    mine = identity(said, chunk_bytes)
    there = read_journal(out)
    if there is None:
        strange = sorted(path.name for path in out.iterdir() if path.name not in (_LOCK, UNFINISHED))
        if strange and not (out / UNFINISHED).exists():
            raise ValueError(f"{out} is not empty (it has {strange[0]!r}) and no store: give a folder that is new or empty")
        return Journal(identity=mine, total=sum(len(part.keys) for part in said.values()))
    if there.identity != mine:
        raise ValueError(
            f"{out} is an unfinished packing ({there.done:,} of {there.total:,} samples) of other samples, labels or chunk "
            "size: give another folder, or delete this one"
        )
    return there


@final
class _Part:
    """A part while it is written."""

    def __init__(self, out: Path, name: str, dataset: LabelledSet, chunk_bytes: int, watcher: Watcher) -> None:
        self.out = out
        self.name = name
        self.dataset = dataset
        self.chunk_bytes = chunk_bytes
        self.watcher = watcher

    def write(self, journal: Journal) -> Journal:
        """The journal with all chunks of the part, each saved in it as soon as it is on the disk."""
        written = self._trusted(journal.parts.get(self.name, PartJournal()))
        journal = journal.with_part(self.name, written)
        journal.save(self.out)
        self.watcher.begin(f"packing {self.name}", len(self.dataset), done=written.done)
        if written.done < len(self.dataset):
            for path, config in self._chunks(written):
                written = self._with(written, path, config)
                journal = journal.with_part(self.name, written)
                journal.save(self.out)
        self.watcher.end()
        return journal

    def _trusted(self, part: PartJournal) -> PartJournal:
        """What is still there of what was written: chunks up to the first that is not whole."""
        trusted = PartJournal()
        for chunk in part.chunks:
            try:
                require_whole(self.out / chunk.file, chunk, again=True)
            except (FileNotFoundError, DamagedStoreError):
                break
            trusted = self._with(trusted, self.out / chunk.file, part.config or {})
        return trusted

    def _chunks(self, written: PartJournal) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Writes the samples that are not written yet; yields every finished file with what litdata says of its form."""
        try:
            from litdata.streaming.writer import BinaryWriter
        except ImportError as error:
            raise ImportError("packing needs litdata: pip install 'taskweave[store]'") from error
        folder = self.out / self.name
        folder.mkdir(exist_ok=True)
        (folder / _INDEX).unlink(missing_ok=True)  # with it there, litdata takes the part as finished
        writer = BinaryWriter(str(folder), chunk_bytes=self.chunk_bytes, chunk_index=len(written.chunks))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "An item was larger than the target chunk size")
            for index in range(written.done, len(self.dataset)):
                if path := writer.add_item(index, self._record(index)):
                    yield Path(path), writer.get_config()
                self.watcher.advance(1)
            for path in writer.done():
                yield Path(path), writer.get_config()
        for path in folder.glob(f"*.{_INDEX}"):  # litdata's, of the chunks of this process only
            path.unlink()

    def _record(self, index: int) -> bytes:
        sample = dict(self.dataset[index])
        key, expected = sample.pop("key"), self.dataset.key(index)
        if key != expected:
            raise ValueError(
                f"sample {index} of {self.name} says its key is {key!r}, its data set {expected!r}: correct it"
            )
        try:
            return encode(sample)
        except TypeError as error:
            raise TypeError(f"{self.name}, {key}: {error}") from error

    def _with(self, written: PartJournal, path: Path, config: dict[str, Any]) -> PartJournal:
        """With this chunk, whose facts are read back from the disk: also the proof that they can be."""
        settle(path)
        with path.open("rb") as file:
            items = int.from_bytes(file.read(4), "little")
        name = f"{self.name}/{path.name}"
        facts = ChunkFacts(file=name, bytes=path.stat().st_size, sha256=sha256_of(path), items=items)
        chunk = map_chunk(path, facts)
        kinds = [kinds_of(chunk.record(at)) for at in range(items)]
        return written.with_chunk(facts, kinds, config, image_size(chunk.record(0)))


def _manifest(out: Path, said: Mapping[str, Described], journal: Journal, source: Mapping[str, Any]) -> Manifest:
    from importlib.metadata import version

    parts = {}
    for name, part in said.items():
        written = journal.parts[name]
        kinds = {value: " or ".join(types) for value, types in written.kinds.items()}
        own = part.model_dump(exclude={"keys", "scenes"})
        labelled = {label: written.labelled.get(label, 0) for label in part.labels}
        names = _written(out, f"{name}/{_NAMES}", _names(part))
        files = {"names": names, "index": _written(out, f"{name}/{_INDEX}", _index(written)), "chunks": written.chunks}
        facts = {"items": len(part.keys), "kinds": kinds, "labelled": labelled, "size": written.size}
        parts[name] = PartFacts.model_validate({**facts, **own, **files})
    return Manifest(taskweave=taskweave.__version__, litdata=version("litdata"), source=dict(source), parts=parts)


def _names(part: Described) -> str:
    return json.dumps({"keys": part.keys, "scenes": part.scenes})


def _index(part: PartJournal) -> str:
    """As litdata writes it: so its own StreamingDataset reads the part, too."""
    chunks = [
        {"chunk_bytes": chunk.bytes, "chunk_size": chunk.items, "dim": None, "filename": chunk.file.rsplit("/", 1)[1]}
        for chunk in part.chunks
    ]
    return json.dumps({"chunks": chunks, "config": part.config}, sort_keys=True)


def _written(out: Path, file: str, text: str) -> FileFacts:
    write_text(out / file, text)
    return FileFacts(file=file, bytes=len(text.encode()), sha256=_digest(text))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
