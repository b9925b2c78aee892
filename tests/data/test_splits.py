"""Held-out parts are whole scenes; where scenes are not named, neighbours are one."""

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torchvision import tv_tensors

from taskweave.data import LabelledSet, Subset, split_by_scene
from taskweave.data.readers.fileset import scenes_of_neighbours


class Rooms(LabelledSet):
    labels = ()
    classes = ()

    def __init__(self, *rooms):
        self.rooms = rooms

    def __len__(self):
        return len(self.rooms)

    def __getitem__(self, index):
        return {"image": tv_tensors.Image(torch.zeros(3, 2, 2, dtype=torch.uint8)), "key": self.key(index)}

    def key(self, index):
        return f"{index}"

    def scene(self, index):
        return self.rooms[index]


def keys(dataset):
    return [dataset.key(index) for index in range(len(dataset))]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=12), st.floats(0.05, 0.95), st.integers(0, 1000))
def test_scenes_are_never_divided(sizes, share, seed):
    data = Rooms(*(f"room {number}" for number, size in enumerate(sizes) for _ in range(size)))
    train, validation = split_by_scene(data, share, seed=seed)
    assert len(train) > 0
    assert len(validation) > 0
    assert not {train.scene(i) for i in range(len(train))} & {validation.scene(i) for i in range(len(validation))}
    assert sorted(keys(train) + keys(validation), key=int) == keys(data)
    assert keys(train) == sorted(keys(train), key=int)
    again = split_by_scene(data, share, seed=seed)
    assert [keys(part) for part in again] == [keys(train), keys(validation)]


def test_the_share_is_about_right():
    data = Rooms(*(f"room {i // 3}" for i in range(300)))
    for share in (0.1, 0.25, 0.5):
        _, validation = split_by_scene(data, share, seed=1)
        assert abs(len(validation) / 300 - share) < 0.02
    assert len({tuple(keys(split_by_scene(data, 0.1, seed=seed)[1])) for seed in range(5)}) == 5


def test_what_cannot_be_split_is_refused():
    with pytest.raises(ValueError, match=r"all 3 samples show 1 scene.*without a validation part"):
        split_by_scene(Rooms("a", "a", "a"), 0.2, seed=0)
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1.5"):
        split_by_scene(Rooms("a", "b"), 1.5, seed=0)


def test_part():
    data = Rooms("a", "b", "c")
    part = Subset(data, [2, 0])
    assert keys(part) == ["2", "0"]
    assert part.scene(0) == "c"
    assert part[1]["key"] == "0"
    with pytest.raises(ValueError, match=r"indices in 0\.\.2, got \[3\]"):
        Subset(data, [0, 3])


def test_neighbours():
    assert scenes_of_neighbours([46, 47, 125, 126, 9]) == ("from 0046",) * 2 + ("from 0125",) * 2 + ("from 0009",)
    assert scenes_of_neighbours(range(5), longest=2) == ("from 0000", "from 0000", "from 0002", "from 0002", "from 0004")
    assert scenes_of_neighbours([]) == ()
