"""Packing a store: an interrupted one goes on, nothing else is overwritten, what cannot be packed is said."""

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
from data.store_toys import SMALL, Kinds, flip

from taskweave.data import open_store, pack_store as pack
from taskweave.data.store.manifest import read_manifest

pytest.importorskip("pyarrow", reason="stores are packed with taskweave[store]")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))


def as_packed(path: Path):
    return {file.relative_to(path): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_a_killed_packing_is_no_store_and_goes_on(tmp_path, store):
    out, reads = tmp_path / "broken", tmp_path / "reads"

    def go_on(seconds):
        parts = {"train": Kinds(7, seconds=seconds, reads=reads), "test": Kinds(2)}
        return pack(parts, out, shard_bytes=SMALL, source={"kind": "toys"})

    process = multiprocessing.get_context("fork").Process(target=go_on, args=(0.05,))
    process.start()
    until = time.monotonic() + 20
    while not (out / "train-00001.arrow").exists() and time.monotonic() < until:
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
        pack({"train": Kinds(7), "test": Stopping(2, at=1)}, out, shard_bytes=SMALL, source={"kind": "toys"})
    second = out / "train-00001.arrow"
    if hurt == "gone":
        second.unlink()
    elif hurt == "cut":
        second.write_bytes(second.read_bytes()[:-7])
    else:
        flip(second, 300)
    pack({"train": Kinds(7), "test": Kinds(2)}, out, shard_bytes=SMALL, source={"kind": "toys"})
    assert as_packed(out) == as_packed(store)


def test_stopped_before_the_manifest_only_the_manifest_is_missing(tmp_path, store, monkeypatch):
    out, reads = tmp_path / "broken", tmp_path / "reads"
    with monkeypatch.context() as patch, pytest.raises(OSError, match="disk is full"):
        patch.setattr(
            "taskweave.data.store.packing._manifest", lambda *_: (_ for _ in ()).throw(OSError("the disk is full"))
        )
        pack({"train": Kinds(7), "test": Kinds(2)}, out, shard_bytes=SMALL)
    with pytest.raises(ValueError, match=r"unfinished packing \(9 of 9"):
        open_store(out)
    pack({"train": Kinds(7, reads=reads), "test": Kinds(2)}, out, shard_bytes=SMALL, source={"kind": "toys"})
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
        pack({"train": Stopping(7, at=6)}, tmp_path / "half", shard_bytes=SMALL)
    with pytest.raises(ValueError, match=r"unfinished packing \(\d of 7 samples\) of other samples, labels or shard size"):
        pack({"train": Kinds(8)}, tmp_path / "half", shard_bytes=SMALL)


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
