"""Damage to a store is named: flipped bytes, cut and missing files, manifests of others."""

import json
import os
from pathlib import Path

import pytest
from data.store_toys import Kinds, assert_same, flip

from taskweave.data import open_store
from taskweave.data.store import manifest
from taskweave.data.store.manifest import DamagedStoreError, read_manifest
from taskweave.data.store.places import faults

pytest.importorskip("pyarrow", reason="stores are packed with taskweave[store]")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))


def read_all(path: Path):
    for part in ("train", "test"):
        list(open_store(path, part=part))


@pytest.mark.parametrize("old", [False, True], ids=["new", "looked at before"])
def test_a_flipped_byte_is_named_and_refused(store, old):
    for file in [file for file in store.rglob("*") if file.is_file()]:
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
    shard = store / "train-00001.arrow"
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(DamagedStoreError, match=r"00001.arrow is not as it was written: it has [\d,]+ bytes, expected"):
        read_all(store)
    assert_same(Kinds()[0], open_store(store)[0])  # others are read
    shard.unlink()
    (store / "test-00000.arrow").unlink()
    with pytest.raises(FileNotFoundError, match=r"train-00001.arrow does not exist: the store's manifest names it"):
        read_all(store)
    with pytest.raises(FileNotFoundError, match=r"test-00000.arrow does not exist"):
        open_store(store, part="test")[0]
    missing = ["train-00001.arrow", "test-00000.arrow"]
    assert [fault.split()[0].rsplit("/", 1)[1] for fault in faults(store)] == missing


def test_a_checksum_is_taken_once_on_a_machine(store, monkeypatch):
    for file in store.rglob("*.arrow"):
        os.utime(file, (1e9, 1e9))
    read_all(store)
    with monkeypatch.context() as patch:
        patch.setattr(manifest, "sha256_of", lambda path: pytest.fail(f"{path} was read again"))
        read_all(store)
    for name in ("train-00000.arrow", "test-00000.arrow"):
        flip(store / name, 400)
        os.utime(store / name, (1e9, 1e9))  # damage that leaves size and time
    found = faults(store)
    assert len(found) == 2
    assert "train-00000.arrow is not as it was written: its SHA-256" in found[0] + found[1]


def test_manifests_of_others(tmp_path, store):
    text = (store / "manifest.json").read_text()
    with pytest.raises(ValueError, match=r"is of version 3, this taskweave reads 2"):
        read_manifest(text.replace('"version": 2', '"version": 3'), "manifest.json")
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
