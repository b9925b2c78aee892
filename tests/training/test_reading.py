"""How a training reads its data: stored sets a batch at a time, h5 files block by block, the samples the same."""

from itertools import pairwise

import pytest
import torch
from data import pet_trees as trees
from data.mixture_toys import Noise
from data.store_toys import Kinds, assert_same
from torchvision import tv_tensors
from torchvision.transforms import v2
from training import toys

import taskweave as tw
from taskweave.data import (
    LabelledSet,
    Mixture,
    Reduced,
    RoundRobin,
    Subset,
    ToInput,
    Transformed,
    collate,
    grid_proposals,
    open_store,
    pack_store,
)
from taskweave.data.boxes import bounding_boxes
from taskweave.data.order import BatchOrder, BlockOrder, EpochOrder
from taskweave.data.readers import arrays
from taskweave.data.readers.whole_images import pets_h5
from taskweave.data.store.stored_set import StoredSet
from taskweave.data.transforms.proposals import WithProposals
from taskweave.images import CAFFE, IMAGENET
from taskweave.training import WrongCheckpointError, fit
from taskweave.training.batches import batches_in_order, training_batches

TO_INPUT = ToInput(IMAGENET)
MIRRORED = v2.Compose([v2.RandomHorizontalFlip(), TO_INPUT])


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))


# stored sets


class Rooms(LabelledSet):
    """9 pictures of one size; of every third the first label, a box, has no area in the picture, others lack their mask."""

    labels = ("box", "segmentation", "detection", "species")
    classes = ("floor", "wall")
    objects = ("cat",)
    categories = Kinds.categories

    def __len__(self):
        return 9

    def key(self, index):
        return f"room {index}"

    scene = key

    def __getitem__(self, index):
        if not 0 <= index < 9:
            raise IndexError(index)
        g = torch.Generator().manual_seed(index)
        corner = (20, 20, 30, 30) if index % 3 == 0 else (-2, 1, 5, 9)
        objects = bounding_boxes([(1, 1, 5, 5), (11, 3, 14, 6), (12.5, 0, 13, 1)][: index % 4], (8, 12))
        sample = {
            "image": tv_tensors.Image(torch.randint(0, 256, (3, 8, 12), generator=g, dtype=torch.uint8)),
            "box": bounding_boxes([corner], (8, 12)),
            "segmentation": tv_tensors.Mask(torch.randint(0, 256, (8, 12), generator=g)),
            "detection": {"boxes": objects, "labels": torch.ones(len(objects), dtype=torch.int64)},
            "species": torch.tensor(index % 2),
            "key": self.key(index),
        }
        if index % 3 == 1:
            del sample["segmentation"]
        return sample


@pytest.fixture
def stored(tmp_path):
    pytest.importorskip("pyarrow", reason="stores are packed with taskweave[store]")
    pack_store({"train": Rooms()}, tmp_path / "store", shard_bytes=3_000)
    return open_store(tmp_path / "store")


def one_by_one(samples, order):
    """What is expected: each sample read by itself."""
    return [collate([samples[at] for at in batch]) for batch in order]


VIEWS = {
    "whole": lambda data: data,
    "part": lambda data: Subset(data, [7, 0, 3, 4, 8, 1]),
    "size that it has": lambda data: Reduced(Subset(data, range(1, 9)), size=(8, 12)),
    "other size": lambda data: Reduced(data, size=(4, 6)),
    "in memory": lambda data: Reduced(data, in_memory=True),
    "with proposals": lambda data: WithProposals(data, grid_proposals),
}
BY_BATCH = ("whole", "part", "size that it has")


@pytest.mark.parametrize("transform", [TO_INPUT, ToInput(CAFFE), MIRRORED], ids=["input", "caffe", "mirrored"])
@pytest.mark.parametrize("view", VIEWS)
def test_batches_of_a_store_are_its_samples(stored, view, transform):
    samples = Transformed(VIEWS[view](stored), transform, seed=3)
    order = list(BatchOrder(EpochOrder(len(samples), 5), 4, first=0, last=6))
    expected = one_by_one(samples, order)
    assert any("box" in batch.targets and len(batch.rows["box"]) < 4 for batch in expected), "boxes that are lost"
    torch.manual_seed(1)
    state = torch.get_rng_state()
    found = list(training_batches(samples, batch_size=4, seed=5, first=0, last=6))
    assert torch.equal(torch.get_rng_state(), state)
    for batch, wanted in zip(found, expected, strict=True):
        assert_same(vars(batch), vars(wanted))
    rest = list(training_batches(samples, batch_size=4, seed=5, first=2, last=6))
    for batch, wanted in zip(rest, expected[2:], strict=True):
        assert_same(vars(batch), vars(wanted))
    ranks = [list(training_batches(samples, batch_size=4, seed=5, first=0, last=6, rank=r, ranks=2)) for r in (0, 1)]
    for first, second, wanted in zip(*ranks, expected, strict=True):
        assert first.keys + second.keys == wanted.keys
        assert torch.equal(torch.cat([first.image, second.image]), wanted.image)
    whole = [[(index, 0) for index in range(start, min(start + 4, len(samples)))] for start in range(0, len(samples), 4)]
    for batch, wanted in zip(batches_in_order(samples, batch_size=4), one_by_one(samples, whole), strict=True):
        assert_same(vars(batch), vars(wanted))


@pytest.mark.parametrize("view", VIEWS)
def test_where_nothing_varies_samples_are_not_read_by_themselves(stored, view, monkeypatch):
    samples = Transformed(VIEWS[view](stored), TO_INPUT, seed=3)
    read, sample_of = [], StoredSet.__getitem__
    monkeypatch.setattr(StoredSet, "__getitem__", lambda self, index: read.append(index) or sample_of(self, index))
    list(training_batches(samples, batch_size=3, seed=0, first=0, last=2))
    assert bool(read) == (view not in BY_BATCH)


def test_pictures_of_several_sizes_are_read_by_themselves(tmp_path):
    pytest.importorskip("pyarrow", reason="stores are packed with taskweave[store]")
    pack_store({"train": Kinds(6, names=("segmentation",))}, tmp_path / "store")
    samples = Transformed(Reduced(open_store(tmp_path / "store"), size=(8, 12)), TO_INPUT, seed=0)
    expected = one_by_one(samples, BatchOrder(EpochOrder(6, 0), 3, first=0, last=2))
    assert_same(
        [vars(b) for b in training_batches(samples, batch_size=3, seed=0, first=0, last=2)], list(map(vars, expected))
    )
    unsized = Transformed(open_store(tmp_path / "store"), TO_INPUT, seed=0)
    with pytest.raises(ValueError, match="'image' of one batch has shapes"):
        next(training_batches(unsized, batch_size=3, seed=0, first=0, last=1))


# h5 files


@pytest.fixture
def pets(tmp_path):
    """12 pets in 4 blocks of 3."""
    pytest.importorskip("h5py", reason="the h5 form needs taskweave[data]")
    trees.write_pets_h5(tmp_path / "pets", **trees.h5_rows(12))
    return tw.data.pets_h5("all", path=tmp_path / "pets").only(("species", "box", "segmentation"))


@pytest.fixture
def slices(monkeypatch):
    """{file: the rows at which each reading of it began}."""
    seen = {}

    class Watched:
        def __init__(self, array, name):
            self.array, self.name = array, name

        def __getitem__(self, rows):
            seen.setdefault(self.name, []).append(rows.start)
            return self.array[rows]

    monkeypatch.setattr(pets_h5, "h5_array", lambda path, name: Watched(arrays.h5_array(path, name), path.name))
    return seen


def batches_of(data, **how):
    how = {"batch_size": 6, "seed": 4, "first": 0, "last": 6, **how}
    return list(training_batches(Transformed(data, MIRRORED, seed=1), **how))


@pytest.mark.parametrize("batch_size", [6, 4, 5])
def test_a_training_reads_every_block_once_an_epoch(pets, slices, batch_size):
    epochs = 3
    batches = batches_of(pets, batch_size=batch_size, last=-(-epochs * 12 // batch_size))
    blocks = -(-len(batches) * batch_size // 3)  # four an epoch; the last epoch may be begun
    assert len(slices["images.h5"]) <= blocks and len(slices["masks.h5"]) <= blocks
    keys = [key for batch in batches for key in batch.keys]
    for epoch in range(epochs):
        assert sorted(keys[12 * epoch : 12 * epoch + 12]) == [pets.key(index) for index in range(12)]
    assert len({tuple(keys[start : start + 12]) for start in range(0, 36, 12)}) == epochs, "another order each epoch"


def test_without_blocks_they_would_be_read_more_often(pets, slices):
    """So that the count above can fail."""
    for index, _ in EpochOrder(12, 4).epoch(0):
        pets[index]
    assert len(slices["images.h5"]) > 6


def test_batches_of_h5_are_its_samples_and_resume(pets):
    samples = Transformed(pets, MIRRORED, seed=1)
    order = list(BatchOrder(BlockOrder(pets.blocks, 4), 5, first=0, last=7))
    expected = one_by_one(samples, order)
    for first in (0, 1, 4):
        for batch, wanted in zip(batches_of(pets, batch_size=5, first=first, last=7), expected[first:], strict=True):
            assert_same(vars(batch), vars(wanted))


def test_two_ranks_read_everything_once(pets, slices):
    ranks = []
    for rank in (0, 1):
        slices.clear()
        ranks.append([key for batch in batches_of(pets, last=2, rank=rank, ranks=2) for key in batch.keys])
        assert len(slices["images.h5"]) == 2, "half of the blocks"
    assert [len(keys) for keys in ranks] == [6, 6]
    assert sorted(ranks[0] + ranks[1]) == [pets.key(index) for index in range(12)]


def test_views_keep_the_blocks(pets, slices):
    assert [list(block) for block in pets.blocks] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
    part = Subset(pets, [4, 3, 0, 11, 1])
    assert part.blocks == ([0, 1], [2, 4], [3])
    assert Subset(Subset(pets, range(3, 12)), range(2, 6)).blocks == ([0], [1, 2, 3])
    assert Reduced(part, size=(4, 5)).blocks == WithProposals(part, grid_proposals).blocks == part.blocks
    assert Reduced(part, in_memory=True).blocks == ()
    batches = batches_of(Reduced(Subset(pets, range(1, 12)), size=(4, 5)), batch_size=11, last=1)
    assert sorted(batches[0].keys) == [pets.key(index) for index in range(1, 12)]
    assert sorted(slices["images.h5"]) == [0, 3, 6, 9]


def test_blocks_in_a_mixture(pets):
    noise = Transformed(Noise(5, ["a"], side=8), dict, seed=0)
    mix = Mixture({"noise": noise, "pets": Transformed(pets, MIRRORED, seed=1)}, RoundRobin())
    order = list(mix.order(3, seed=2, first=0, last=16))
    assert list(mix.order(3, seed=2, first=5, last=16)) == order[5:]
    of_pets = [[index - 5 for index, _ in batch] for batch in order[1::2]]
    assert all(len({index // 3 for index in batch}) == 1 for batch in of_pets), "a batch of three is a block"
    for start in (0, 4):
        assert sorted(index for batch in of_pets[start : start + 4] for index in batch) == list(range(12))
    assert mix.determining()["blocks"] == {"pets": 4}
    assert "blocks" not in Mixture({"noise": noise}, RoundRobin()).determining()


class Blocked(Noise):
    """Noise in blocks of `block`."""

    def __init__(self, block):
        super().__init__(12, ["a", "b"])
        self.block = block

    @property
    def blocks(self):
        return tuple(range(start, start + self.block) for start in range(0, 12, self.block)) if self.block > 1 else ()


def train(folder, block, steps=None):
    net = toys.network()
    stop = toys.StopAfter(steps) if steps else None
    fit(net, toys.TASKS, Transformed(Blocked(block), dict, seed=0), toys.options(), folder=folder, seed=3, stop=stop)
    return toys.state_of(net)


def test_a_training_in_blocks_resumes_to_the_bit_and_in_these_blocks_only(tmp_path):
    whole = train(tmp_path / "whole", 6)
    train(tmp_path / "parts", 6, steps=4)  # the fourth batch of four ends inside the second epoch
    for other in (1, 3):
        with pytest.raises(WrongCheckpointError, match="blocks"):
            train(tmp_path / "parts", other)
    toys.assert_same_state(whole, train(tmp_path / "parts", 6))
    with pytest.raises(AssertionError, match="differ"):
        toys.assert_same_state(whole, train(tmp_path / "shuffled", 1))


def test_workers_read_blocks_too(pets):
    alone, shared = batches_of(pets, last=4), batches_of(pets, last=4, workers=2)
    for batch, other in zip(alone, shared, strict=True):
        assert_same(vars(batch), vars(other))
    blocks = [int(key) // 3 for batch in alone for key in batch.keys]
    assert sum(one != other for one, other in pairwise(blocks[:12])) == 3
