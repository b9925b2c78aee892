"""Stores: what is read is what was packed, in any order, by any process; a broken packing goes on; damage is named."""

import json
import multiprocessing
import os
import pickle
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from data.store_toys import Kinds, assert_same, flip, kinds, odd
from torch.utils.data import DataLoader
from torchvision import tv_tensors

from taskweave.data import BatchOrder, EpochOrder, Scenes, collate, open_store
from taskweave.data import pack_store as pack
from taskweave.data.store import checksums
from taskweave.data.store.checking import faults
from taskweave.data.store.manifest import DamagedStoreError, read_manifest
from taskweave.data.store.record import decode, encode
from taskweave.data.store.stored_set import StoredBatches

pytest.importorskip("litdata", reason="stores are packed with taskweave[store]")
SMALL = 9_000
"""Bytes of a chunk: two or three samples of `Kinds`."""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    root = tmp_path_factory.mktemp("packed") / "store"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TASKWEAVE_CACHE", str(root.parent / "cache"))
        pack({"train": Kinds(7), "test": Kinds(2)}, root, chunk_bytes=SMALL, source={"kind": "toys"})
    return root


@pytest.fixture
def store(tmp_path, packed):
    """A copy, for a test to damage."""
    return Path(shutil.copytree(packed, tmp_path / "store"))


def test_reading_back_equals_the_source_bit_for_bit(store):
    source, stored = Kinds(7), open_store(store)
    assert len(stored.facts.chunks) > 2, "the test wants several chunks"
    for index in (6, 0, 3, 1, 2, 5, 4):
        assert_same(source[index], stored[index])
    assert [("depth" in sample) for sample in stored] == [True, True, False, True, True, False, True]
    for said in ("labels", "classes", "objects", "attributes", "categories"):
        assert getattr(stored, said) == getattr(source, said)
    assert [stored.key(i) for i in range(7)] == [source.key(i) for i in range(7)]
    assert [stored.scene(i) for i in range(7)] == [source.scene(i) for i in range(7)]


def test_what_is_compared_is_seen_to_differ():
    for name, other in {
        "type": {**kinds(1), "depth": kinds(1)["depth"].as_subclass(torch.Tensor)},
        "bit": {**kinds(1), "odd": {**odd(1), "bits of NaN": torch.tensor([torch.nan, torch.nan])}},
        "dtype": {**kinds(1), "species": torch.tensor(1, dtype=torch.int32)},
        "clamping": {**kinds(1), "box": tv_tensors.wrap(kinds(1)["box"], like=kinds(1)["detection"]["boxes"])},
    }.items():
        with pytest.raises(AssertionError):
            assert_same(kinds(1), other, name)


@pytest.mark.parametrize(
    ("least", "most"), [(0, 255), (-1, 254), (0, 256), (-129, 0), (-(2**31), 2**31), (-(2**63), 2**63 - 1)]
)
def test_whole_numbers_keep_their_type_in_less_room(least, most):
    target = {"image": tv_tensors.Mask(torch.tensor([[least, most], [0, 1]]))}
    record = np.frombuffer(encode(target), np.uint8)
    assert_same(target, decode(record))
    assert len(encode({"image": torch.zeros(100, 100, dtype=torch.int64)})) < 11_000 < 80_000


def test_a_value_that_cannot_be_held_is_named():
    with pytest.raises(TypeError, match=r"odd\.list is a list: a store holds tensors"):
        encode({"odd": {"list": [1, 2]}})
    with pytest.raises(TypeError, match=r"odd is a Parameter of torch.float32"):
        encode({"odd": torch.nn.Parameter(torch.ones(1))})


def test_samples_are_their_own(store):
    stored = open_store(store)
    stored[0]["image"].zero_()
    assert_same(Kinds()[0], stored[0])
    assert_same(stored[0], pickle.loads(pickle.dumps(stored))[0])


def test_only_the_labels_asked_for_are_read(store):
    stored = open_store(store, labels=("species", "depth"))
    assert set(stored[0]) == {"image", "species", "depth", "key"}
    assert (stored.labels, stored.classes, stored.objects) == (("species", "depth"), (), ())
    assert stored.categories == {"species": ("cat", "dog")}
    assert stored.batch([0, 3]).targets.keys() == {"species", "depth"}


def test_parts_are_found_by_what_they_mean(tmp_path, store):
    assert open_store(store, part="test").facts.items == 2
    pack({"training": Kinds(1), "val": Kinds(3)}, tmp_path / "other")
    assert len(open_store(tmp_path / "other", part="train")) == 1
    assert len(open_store(tmp_path / "other", part="test")) == 3
    with pytest.raises(ValueError, match=r"has no part 'extra'; it has \['train', 'test'\]"):
        open_store(store, part="extra")
    with pytest.raises(ValueError, match="has no label 'age' in train; it has"):
        open_store(store, labels=("age",))


def test_batches_are_those_of_collate(tmp_path):
    names = ("segmentation", "box", "species")
    scenes = Scenes(5, size=(32, 48), labels=("segmentation", "detection"))
    pack({"plain": Part(Kinds(9, names=names), (0, 3, 6)), "all": Kinds(9, names=names), "scenes": scenes}, tmp_path / "s")
    for part, indices in {"plain": [2, 0, 1], "scenes": [4, 1, 0]}.items():
        stored = open_store(tmp_path / "s", part=part)
        one, other = stored.batch(indices), collate([stored[index] for index in indices])
        assert_same(vars(one), vars(other))
        assert one.image.dtype == torch.uint8
    with pytest.raises(ValueError, match="of one batch has shapes"):  # two sizes, as in collate
        open_store(tmp_path / "s", part="all").batch([0, 1])


def test_workers_read_the_order_and_go_on_in_it(store):
    stored = open_store(store, labels=("species",))
    whole = BatchOrder(EpochOrder(7, seed=5), 3, first=0, last=9)
    expected = [tuple(f"picture {index}" for index, _ in batch) for batch in whole]
    assert len(set(expected[0])) == 3
    rest = BatchOrder(EpochOrder(7, seed=5), 3, first=4, last=9)
    for order, wanted in ((whole, expected), (rest, expected[4:])):
        loaded = DataLoader(Keys(stored), batch_sampler=order, num_workers=2, collate_fn=tuple)
        assert list(loaded) == wanted
    ranks = [[stored[index]["key"] for index in range(rank, 7, 2)] for rank in (0, 1)]
    assert sorted(ranks[0] + ranks[1]) == sorted(stored.key(index) for index in range(7))


def test_batches_through_a_loader(tmp_path):
    pack({"train": Scenes(6, size=(32, 48), labels=("segmentation",))}, tmp_path / "s", chunk_bytes=SMALL)
    stored = open_store(tmp_path / "s")
    order = BatchOrder(EpochOrder(6, seed=1), 2, first=0, last=3)
    for batch, asked in zip(DataLoader(StoredBatches(stored), sampler=order, batch_size=None), order, strict=True):
        assert_same(vars(batch), vars(collate([stored[index] for index, _ in asked])))


def test_litdata_itself_reads_the_store(store):
    from litdata import StreamingDataset

    theirs = StreamingDataset(str(store / "train"))
    assert len(theirs) == 7
    for index in (0, 6):
        record = np.frombuffer(theirs[index], np.uint8)
        assert_same(Kinds()[index], {**decode(record), "key": f"picture {index}"})


# interrupted packings


def as_packed(path: Path):
    return {file.relative_to(path): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_a_killed_packing_is_no_store_and_goes_on(tmp_path, store):
    out, reads = tmp_path / "broken", tmp_path / "reads"

    def go_on(seconds):
        parts = {"train": Kinds(7, seconds=seconds, reads=reads), "test": Kinds(2)}
        return pack(parts, out, chunk_bytes=SMALL, source={"kind": "toys"})

    process = multiprocessing.get_context("fork").Process(target=go_on, args=(0.05,))
    process.start()
    until = time.monotonic() + 20
    while not (out / "train" / "chunk-0-1.bin").exists() and time.monotonic() < until:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with pytest.raises(ValueError, match=r"broken is an unfinished packing \(\d of 9 samples\): the same `taskweave pack`"):
        open_store(out)
    done = json.loads((out / "packing.json").read_text())["done"]
    assert 0 < done < 7
    reads.unlink()
    go_on(0.0)
    assert reads.read_text().split() == [str(index) for index in range(done, 7)]
    assert as_packed(out) == as_packed(store)


@pytest.mark.parametrize("hurt", ["cut", "gone", "flipped"])
def test_what_is_no_longer_whole_is_packed_again(tmp_path, store, hurt):
    out = tmp_path / "broken"
    with pytest.raises(KeyboardInterrupt):
        pack({"train": Kinds(7), "test": Stopping(2, at=1)}, out, chunk_bytes=SMALL, source={"kind": "toys"})
    second = out / "train" / "chunk-0-1.bin"
    if hurt == "gone":
        second.unlink()
    elif hurt == "cut":
        second.write_bytes(second.read_bytes()[:-7])
    else:
        flip(second, 300)
    pack({"train": Kinds(7), "test": Kinds(2)}, out, chunk_bytes=SMALL, source={"kind": "toys"})
    assert as_packed(out) == as_packed(store)


def test_stopped_before_the_manifest_only_the_manifest_is_missing(tmp_path, store, monkeypatch):
    out, reads = tmp_path / "broken", tmp_path / "reads"
    with monkeypatch.context() as patch, pytest.raises(OSError, match="disk is full"):
        patch.setattr(
            "taskweave.data.store.packing._manifest", lambda *_: (_ for _ in ()).throw(OSError("the disk is full"))
        )
        pack({"train": Kinds(7), "test": Kinds(2)}, out, chunk_bytes=SMALL)
    with pytest.raises(ValueError, match=r"unfinished packing \(9 of 9"):
        open_store(out)
    pack({"train": Kinds(7, reads=reads), "test": Kinds(2)}, out, chunk_bytes=SMALL, source={"kind": "toys"})
    assert not reads.exists()
    assert as_packed(out) == as_packed(store)


def test_nothing_else_is_overwritten(tmp_path, store):
    parts = {"train": Kinds(7), "test": Kinds(2)}
    before = as_packed(store)
    assert pack(parts, store).digest == read_manifest((store / "manifest.json").read_text(), "m").digest  # done already
    with pytest.raises(ValueError, match="is a store of other samples or labels"):
        pack({"train": Kinds(6)}, store)
    assert as_packed(store) == before
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").touch()
    with pytest.raises(ValueError, match=r"notes is not empty \(it has 'mine.txt'\) and no store"):
        pack(parts, tmp_path / "notes")
    with pytest.raises(KeyboardInterrupt):
        pack({"train": Stopping(7, at=6)}, tmp_path / "half", chunk_bytes=SMALL)
    with pytest.raises(ValueError, match=r"unfinished packing \(\d of 7 samples\) of other samples, labels or chunk size"):
        pack({"train": Kinds(8)}, tmp_path / "half", chunk_bytes=SMALL)


def test_two_processes_do_not_pack_into_one_store(tmp_path):
    from filelock import FileLock

    (tmp_path / "s").mkdir()
    with FileLock(tmp_path / "s" / "packing.lock"), pytest.raises(ValueError, match="another process is packing"):
        pack({"train": Kinds(1)}, tmp_path / "s")


def test_what_cannot_be_packed_is_said(tmp_path):
    for parts, words in [
        ({}, "there are no parts to pack"),
        ({"train": Kinds(0)}, "the part 'train' has no samples"),
        ({"../up": Kinds(1)}, "'../up' cannot be a part's name"),
        ({"train": Twice(2)}, "the part 'train' names 'one' twice"),
        ({"train": Lying(2)}, "sample 0 of train says its key is 'other', its data set 'picture 0'"),
    ]:
        with pytest.raises(ValueError, match=words):
            pack(parts, tmp_path / "s" / words[4:7])


# damage


def read_all(path: Path):
    for part in ("train", "test"):
        list(open_store(path, part=part))


@pytest.mark.parametrize("old", [False, True], ids=["new", "looked at before"])
def test_a_flipped_byte_is_named_and_refused(store, old):
    files = [file for file in store.rglob("*") if file.is_file() and file.name != "index.json"]
    for file in files:
        whole = file.read_bytes()
        for at in (0, len(whole) // 3, -1):
            file.write_bytes(whole)
            if old:
                os.utime(file, (1e9, 1e9))  # as a file of long ago, whose checksum is remembered
                read_all(store)
            flip(file, at)
            with pytest.raises(ValueError, match=file.name) as told:
                read_all(store)
            assert isinstance(told.value, DamagedStoreError) or file.name == "manifest.json"
            assert "not as it was written" in str(told.value) or "no manifest" in str(told.value)
        file.write_bytes(whole)
    read_all(store)


def test_cut_and_missing_files_are_named(store):
    chunk = store / "train" / "chunk-0-1.bin"
    chunk.write_bytes(chunk.read_bytes()[:-1])
    with pytest.raises(DamagedStoreError, match=r"chunk-0-1.bin is not as it was written: it has [\d,]+ bytes, expected"):
        read_all(store)
    assert_same(Kinds()[0], open_store(store)[0])  # others are read
    chunk.unlink()
    (store / "test" / "names.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"chunk-0-1.bin does not exist: the store's manifest names it"):
        read_all(store)
    with pytest.raises(FileNotFoundError, match=r"names.json does not exist"):
        open_store(store, part="test")
    assert [fault.split()[0].rsplit("/", 1)[1] for fault in faults(store)] == ["chunk-0-1.bin", "names.json"]


def test_a_checksum_is_taken_once_on_a_machine(store, monkeypatch):
    for file in store.rglob("*.bin"):
        os.utime(file, (1e9, 1e9))
    read_all(store)
    with monkeypatch.context() as patch:
        patch.setattr(checksums, "sha256_of", lambda path: pytest.fail(f"{path} was read again"))
        read_all(store)
    index = store / "train" / "index.json"  # nothing of ours reads it
    flip(index, 5)
    flip(store / "train" / "chunk-0-0.bin", 400)
    os.utime(store / "train" / "chunk-0-0.bin", (1e9, 1e9))  # damage that leaves size and time
    found = faults(store)
    assert len(found) == 2
    assert "chunk-0-0.bin is not as it was written: its SHA-256" in found[0] + found[1]


def test_manifests_of_others(tmp_path, store):
    text = (store / "manifest.json").read_text()
    with pytest.raises(ValueError, match=r"is of version 2, this taskweave reads 1"):
        read_manifest(text.replace('"version": 1', '"version": 2'), "manifest.json")
    with pytest.raises(ValueError, match="no manifest of a taskweave store"):
        read_manifest("{}", "manifest.json")
    with pytest.raises(DamagedStoreError, match="it says the same in other characters"):
        read_manifest(text.replace(" ", "  ", 1), "manifest.json")
    digest = json.loads(text)["sha256"]
    other = digest[:-1] + ("1" if digest[-1] == "0" else "0")
    with pytest.raises(DamagedStoreError, match=rf"its checksum is {digest}, it says {other};"):
        read_manifest(text.replace(digest, other), "manifest.json")
    with pytest.raises(DamagedStoreError, match="items"):
        read_manifest(text.replace('"items": 7', '"items": "many"'), "manifest.json")
    with pytest.raises(FileNotFoundError, match=r"none is no folder: expected a store; write one with `taskweave pack"):
        open_store(tmp_path / "none")
    with pytest.raises(ValueError, match="is another one now"):
        open_store(store, digest="0" * 64)


def full(*_):
    raise OSError("the disk is full")


class Part(Kinds):
    def __init__(self, dataset, indices):
        super().__init__(len(indices), names=dataset.labels)
        self.dataset, self.indices = dataset, indices

    def key(self, index):
        return self.dataset.key(self.indices[index])

    def __getitem__(self, index):
        return self.dataset[self.indices[index]] if index < len(self) else super().__getitem__(index)


class Stopping(Kinds):
    def __init__(self, count, *, at):
        super().__init__(count)
        self.at = at

    def __getitem__(self, index):
        if index == self.at:
            raise KeyboardInterrupt
        return super().__getitem__(index)


class Twice(Kinds):
    def key(self, index):
        return "one"


class Lying(Kinds):
    def __getitem__(self, index):
        return {**super().__getitem__(index), "key": "other"}


class Keys(torch.utils.data.Dataset):
    """Only the keys of what is read, to compare."""

    def __init__(self, stored):
        self.stored = stored

    def __getitem__(self, at):
        return self.stored[at[0]]["key"]
