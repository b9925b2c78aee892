"""What is said of a store: its counts, types and source; of an unfinished or damaged one, what to do."""

import pytest
from data.store_toys import Kinds, flip

from taskweave.data import inspect, pack_store

pytest.importorskip("pyarrow", reason="stores are packed with taskweave[store]")


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))
    pack_store({"train": Kinds(7), "test": Kinds(2)}, tmp_path / "store", source={"kind": "toys"}, shard_bytes=9_000)
    return tmp_path / "store"


def the_only(path):
    (layout,) = inspect(path).layouts
    return layout


def test_what_is_in_it(store):
    layout = the_only(store)
    assert layout.reader == "stored"
    assert {one.split: one.count for one in layout.splits} == {"train": 7, "test": 2}
    facts = {one.target: one for one in layout.splits[0].targets}
    assert facts["depth"].read == "Depth float32 1 x 8..9 x 12"
    assert facts["depth"].pictures == 5, "every third of Kinds lacks its depth"
    assert facts["species"].remark == "2 of 2 classes seen"
    assert facts["box"].remark.endswith("px high"), "boxes of one kind have no classes to count"
    assert facts["odd"].read == "dict"
    packed, gaps = layout.notes
    count = len(list(store.rglob("*.arrow")))
    assert count > 2
    assert 'from {"kind": "toys"}' in packed
    assert packed.endswith(f"in {count} files of samples")
    assert gaps == "train: 5 of 7 have depth"
    assert layout.warnings == ()


def test_unfinished(store):
    (store / "manifest.json").unlink()
    (store / "packing.json").write_text('{"done": 3, "total": 9}')
    layout = the_only(store)
    (warned,) = layout.warnings
    assert (layout.splits, warned.kind) == ((), "cannot be opened")
    assert "is an unfinished packing (3 of 9 samples): the same `taskweave pack` goes on" in warned.text


def test_damaged(store):
    flip(store / "train-00001.arrow", 400)
    flip(store / "test-00000.arrow", 5)
    found = {(one.kind, one.split): one.text for one in the_only(store).warnings}
    assert "train-00001.arrow is not as it was written" in found["cannot be read", "train"]
    assert "test-00000.arrow is not as it was written" in found["cannot be read", "test"]
    flip(store / "manifest.json", -40)
    (warned,) = the_only(store).warnings
    assert "manifest.json" in warned.text
