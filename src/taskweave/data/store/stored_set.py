"""A part of a store as a data set, and as a recipe's data."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, final

import torch
from torch.utils.data import Dataset, get_worker_info

from taskweave.data.boxes import tidy
from taskweave.data.dataset import LabelledSet, NamedSet, require_labels
from taskweave.data.facts import SetFacts
from taskweave.data.sample import INPUTS, Batch, Sample, collate
from taskweave.data.store.manifest import Manifest, PartFacts
from taskweave.data.store.places import Place, place_of
from taskweave.data.store.samples import Row, Shard, decode, forms_of, has_size, map_shard, stack
from taskweave.parts import Where, states

PARTS = {
    "train": ("train", "training", "trainval", "drawn_train"),
    "test": ("test", "val", "testing", "validation", "drawn_test"),
}
"""What data sets call the part that is trained on, and the one that is tested on; the first that is there is meant."""


@final
class StoredSet(NamedSet):
    """The samples of one part of a store, bit for bit as the source gave them, in any order and from any process.

    A file's checksum is computed before its first sample is read (see `require_whole`).

    Args:
        where: The store and the part, for messages.
    """

    def __init__(self, place: Place, facts: PartFacts, *, labels: Sequence[str], where: str) -> None:
        super().__init__(labels, facts)
        self.place = place
        self.facts = facts
        self.where = where
        self._unwanted = frozenset(facts.labels) - frozenset(labels)
        self._keys = facts.keys
        self._firsts = [0, *itertools.accumulate(shard.items for shard in facts.shards)]
        self._shards: dict[int, Shard] = {}
        self._began_ahead = False

    def __len__(self) -> int:
        return self.facts.items

    def __getitem__(self, index: int) -> Sample:
        return {**decode(self._row(index), without=self._unwanted), "key": self.key(index)}

    def batch(self, indices: Sequence[int]) -> Batch:
        """`collate` of these samples, images raw (uint8): tensors of one form are copied once, straight into the batch."""
        batch = self._read([self._row(index) for index in indices], indices, dict)
        return batch or collate([self[index] for index in indices])  # which says what is wrong

    def batch_of(self, indices: Sequence[int], *, size: tuple[int, int] | None = None) -> Batch | None:
        rows = [self._row(index) for index in indices]
        if size is not None and not all(has_size(form, size, without=self._unwanted) for form in forms_of(rows)):
            return None
        return self._read(rows, indices, tidy)

    def _read(self, rows: Sequence[Row], indices: Sequence[int], each: Callable[[Sample], dict[str, Any]]) -> Batch | None:
        """each: goes over what is not stacked of each sample. None where images differ in form."""
        stacked = stack(rows, without={*self._unwanted, *INPUTS} - {"image"})
        if "image" not in stacked:
            return None
        left_out, image = {*self._unwanted, *stacked}, stacked.pop("image")
        whole = {name: torch.arange(len(rows)) for name in stacked}
        if all(leaf.at[0] in left_out for form in forms_of(rows) for leaf in form.values()):
            return Batch(image, stacked, whole, tuple([self._keys[at] for at in indices]))
        rest = [each(decode(row, without=left_out)) for row in rows]
        nothing = {"image": torch.empty(0)}
        batch = collate([{**part, **nothing, "key": self.key(at)} for part, at in zip(rest, indices, strict=True)])
        found, of = {**batch.targets, **stacked}, {**batch.rows, **whole}
        targets: dict[str, None] = {}  # in the order in which they come, as in collate
        for row, part in zip(rows, rest, strict=True):
            names = dict.fromkeys(leaf.at[0] for leaf in row.form.values())
            targets |= dict.fromkeys(name for name in names if name in {*stacked, *part} & {*found})
        given = {name: found[name] for name in targets}
        return replace(batch, image=image, targets=given, rows={name: of[name] for name in targets})

    @property
    def objects(self) -> tuple[str, ...]:
        return self.facts.objects if {"detection", "attributes"} & set(self._labels) else ()

    def only(self, labels: Sequence[str]) -> StoredSet:
        wanted = require_labels(labels, self.facts.labels, self.where)
        return StoredSet(self.place, self.facts, labels=wanted, where=self.where)

    def key(self, index: int) -> str:
        return self._keys[index]

    def scene(self, index: int) -> str:
        return self.facts.scenes[index]

    def __getstate__(self) -> dict[str, Any]:
        """Without the mapped files: another process maps its own."""
        return {**self.__dict__, "_shards": {}, "_began_ahead": False}

    def _row(self, index: int) -> Row:
        if not 0 <= index < self._firsts[-1]:
            raise IndexError(f"sample {index} is outside 0..{len(self) - 1} of {self.where}")
        number = bisect.bisect_right(self._firsts, index) - 1
        if number not in self._shards:
            self._shards[number] = self._mapped(number)
        return self._shards[number].row(index - self._firsts[number])

    def _mapped(self, number: int) -> Shard:
        shards = self.facts.shards
        if not self._began_ahead and get_worker_info() is not None:  # a process that may fork starts no threads
            self._began_ahead = True
            self.place.begin_ahead(shards[number:] + shards[:number])
        return map_shard(self.place.file(shards[number]), shards[number], self.facts.kinds)


@final
class StoredBatches(Dataset[Batch]):
    """`StoredSet.batch` for ``DataLoader(StoredBatches(stored), sampler=BatchOrder(...), batch_size=None)``."""

    def __init__(self, stored: StoredSet) -> None:
        self.stored = stored

    def __getitem__(self, batch: Sequence[int | tuple[int, int]]) -> Batch:
        """The samples at these indices, or (index, draw) pairs; without random transforms a draw says nothing."""
        return self.stored.batch([at if isinstance(at, int) else at[0] for at in batch])


def open_store(
    path: Path | str,
    *,
    part: str = "train",
    labels: Sequence[str] | None = None,
    endpoint_url: str | None = None,
    digest: str | None = None,
) -> StoredSet:
    """A part of the store at `path`, a folder or an address such as ``s3://bucket/pets`` (needs taskweave[store]).

    Args:
        part: As the store calls it, or "train" or "test" for what is meant by that (`PARTS`).
        labels: Those to read, default all.
        endpoint_url: Of object storage that is not Amazon's; default what the environment says (AWS_ENDPOINT_URL).
        digest: Of the store that is expected (`Manifest.digest`).

    Raises:
        FileNotFoundError: There is no store.
        ValueError: It is an unfinished packing or another store than expected, or has no such part or label.
        DamagedStoreError: A file is not as it was written.
    """
    place = place_of(path, endpoint_url=endpoint_url)
    manifest = place.manifest()
    if digest is not None and manifest.digest != digest:
        raise ValueError(
            f"the store at {path} is another one now: its manifest's digest is {manifest.digest[:12]}..., expected "
            f"{digest[:12]}...; put the expected one back, or drop `contents` from the recipe to train on this one"
        )
    facts = manifest.parts[part_of(manifest, part, str(path))]
    if unknown := [label for label in labels or () if label not in facts.labels]:
        raise ValueError(f"{path} has no label {unknown[0]!r} in {part}; it has {list(facts.labels)}")
    wanted = facts.labels if labels is None else tuple(dict.fromkeys(labels))
    return StoredSet(place, facts, labels=wanted, where=f"{path}, {part}")


def part_of(manifest: Manifest, part: str, where: str) -> str:
    """Return the store's own name for `part`.

    Raises:
        ValueError: There is no such part; the message names those that exist.
    """
    for name in (part, *PARTS.get(part, ())):
        if name in manifest.parts:
            return name
    raise ValueError(f"{where} has no part {part!r}; it has {list(manifest.parts)}")


_SAID = ("labels", "classes", "objects", "attributes", "categories", "size")


def _complete(options: Mapping[str, Any]) -> dict[str, Any]:
    """What the store says of itself, so that a run stays known, and its recipe readable, where the store is not."""
    path = str(options["path"])
    if "://" not in path:
        path = str(Path(path).expanduser().absolute())
    if options["contents"] is not None:
        return {"path": path}
    manifest = place_of(path, endpoint_url=options["endpoint_url"]).manifest()
    facts = manifest.parts[part_of(manifest, options["train"], path)]
    return {"path": path, "contents": {"digest": manifest.digest, **{name: getattr(facts, name) for name in _SAID}}}


def _facts(options: Mapping[str, Any]) -> SetFacts:
    said = {name: options["contents"][name] for name in _SAID}
    return SetFacts("a store", **said, own_validation=options["validation"] is not None, named=True)


@states(complete=_complete, facts=_facts)
def stored(
    part: str,
    *,
    path: Annotated[str | Path, Where],
    endpoint_url: Annotated[str | None, Where] = None,
    train: str = "train",
    validation: str | None = None,
    test: str = "test",
    contents: dict[str, Any] | None = None,
) -> LabelledSet:
    """A store that `taskweave pack` wrote, in a folder or in object storage (needs taskweave[store]).

    Args:
        part: "train", "validation", "test", or a part as the store calls it.
        path: The folder, or an address such as ``s3://bucket/pets``; a relative path counts from the working directory.
        endpoint_url: Of object storage that is not Amazon's; None for what the environment says (AWS_ENDPOINT_URL).
        train: The part that is trained on, as the store calls it; "train" also finds training and trainval.
        validation: The part that chooses the best weights; None for none, or for a share of train.
        test: The part that is tested on; "test" also finds val, testing and validation.
        contents: Read from the store; not to be written by hand.

    Raises:
        FileNotFoundError: There is no store.
        ValueError: It is an unfinished packing, or another store than when the recipe was read, or has no such part.
    """
    name = {"train": train, "validation": validation, "test": test}.get(part) or part
    digest = None if contents is None else str(contents["digest"])
    return open_store(str(path), part=name, endpoint_url=endpoint_url, digest=digest)
