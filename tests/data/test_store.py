"""Stores: what is read is what was packed, in any order, by any process."""

import json
import pickle

import numpy as np
import pytest
import torch
from data.store_toys import SMALL, Kinds, assert_same, kinds, odd
from torch.utils.data import DataLoader
from torchvision import tv_tensors

from taskweave.data import BatchOrder, EpochOrder, collate, open_store, pack_store as pack
from taskweave.data.generated.scenes import Scenes
from taskweave.data.store.samples import decode, encode, map_shard, write_shard
from taskweave.data.store.stored_set import StoredBatches

pytest.importorskip("pyarrow", reason="stores are packed with taskweave[store]")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))


def test_reading_back_equals_the_source_bit_for_bit(store):
    source, stored = Kinds(7), open_store(store)
    assert len(stored.facts.shards) > 2, "the test wants several files"
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
def test_whole_numbers_keep_their_type_in_less_room(tmp_path, least, most):
    sample = {"image": tv_tensors.Mask(torch.tensor([[least, most], [0, 1]])), "key": "one"}
    facts = write_shard(tmp_path / "one.arrow", [encode(sample)])
    read = decode(map_shard(tmp_path / "one.arrow", facts).row(0))
    assert_same(sample, {**read, "key": "one"})
    facts = write_shard(tmp_path / "zeros.arrow", [encode({"image": torch.zeros(100, 100, dtype=torch.int64), "key": ""})])
    assert facts.bytes < 11_000 < 80_000


def test_a_value_that_cannot_be_held_is_named():
    with pytest.raises(TypeError, match=r"odd\.list is a list: a store holds tensors"):
        encode({"odd": {"list": [1, 2]}, "key": ""})
    with pytest.raises(TypeError, match=r"odd is a Parameter of torch.float32"):
        encode({"odd": torch.nn.Parameter(torch.ones(1)), "key": ""})
    with pytest.raises(TypeError, match=r"two values, or one of the store's own, are called 'a.b'"):
        encode({"a.b": torch.ones(1), "a": {"b": torch.ones(1)}, "key": ""})


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
    pack(
        {"plain": Subset(Kinds(9, names=names), (0, 3, 6)), "all": Kinds(9, names=names), "scenes": scenes}, tmp_path / "s"
    )
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
    pack({"train": Scenes(6, size=(32, 48), labels=("segmentation",))}, tmp_path / "s", shard_bytes=SMALL)
    stored = open_store(tmp_path / "s")
    order = BatchOrder(EpochOrder(6, seed=1), 2, first=0, last=3)
    for batch, asked in zip(DataLoader(StoredBatches(stored), sampler=order, batch_size=None), order, strict=True):
        assert_same(vars(batch), vars(collate([stored[index] for index, _ in asked])))


def test_pyarrow_itself_reads_the_store(store):
    """What other programs go by: the values' names and types in the column ".form", their bytes in columns of their own."""
    import pyarrow as pa

    files = sorted(store.glob("train-*.arrow"))
    theirs = pa.concat_tables(
        [pa.ipc.open_file(file).read_all().select(["key", ".form", "image", "normals"]) for file in files]
    )
    assert theirs["key"].to_pylist() == [f"picture {index}" for index in range(7)]
    for index in (0, 6):
        form = {said["at"][0]: said for said in json.loads(theirs[".form"][index].as_py())}
        for name in ("image", "normals"):
            numbers = np.frombuffer(theirs[name][index].as_py(), form[name]["stored"]).reshape(form[name]["shape"])
            assert numbers.tobytes() == Kinds()[index][name].numpy().tobytes()
            assert (str(numbers.dtype), form[name]["kind"]) == {
                "image": ("uint8", "Image"),
                "normals": ("float32", "Normals"),
            }[name]


class Subset(Kinds):
    def __init__(self, dataset, indices):
        super().__init__(len(indices), names=dataset.labels)
        self.dataset, self.indices = dataset, indices

    def key(self, index):
        return self.dataset.key(self.indices[index])

    def __getitem__(self, index):
        return self.dataset[self.indices[index]] if index < len(self) else super().__getitem__(index)


class Keys(torch.utils.data.Dataset):
    """Only the keys of what is read, to compare."""

    def __init__(self, stored):
        self.stored = stored

    def __getitem__(self, at):
        return self.stored[at[0]]["key"]
