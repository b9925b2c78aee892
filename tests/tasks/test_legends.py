"""Legends of drawn targets: the colours that are in the pictures, with their names."""

import torch

from taskweave.tasks import Depth, Labels, Normals, Segmentation
from taskweave.tasks.pictures import class_keys, label_colours


def test_classes_that_are_drawn_in_their_colours() -> None:
    task = Segmentation(["wall", "floor", "bag"])
    drawn = [task.picture(torch.tensor([[0, 2], [2, 255]]))]
    colours = [tuple(row) for row in label_colours(3).tolist()]
    assert task.legend(drawn) == [("wall", colours[0]), ("bag", colours[2]), ("no label", (0, 0, 0))]
    assert class_keys(task.classes)[1:] == [("floor", colours[1]), ("bag", colours[2])]


def test_depths_have_a_scale_up_to_what_is_far() -> None:
    task = Depth(Labels(far=8.0))
    keys = task.legend([])
    assert [name for name, _ in keys] == ["0", "2", "4", "6", "8 and more", "no label"]
    for level, (_, colour) in zip((2.0, 4.0, 9.0), (keys[1], keys[2], keys[4]), strict=True):
        assert tuple(task.picture(torch.full((1, 1, 1), level)).flatten().tolist()) == colour


def test_normals_have_none() -> None:
    assert Normals().legend([torch.zeros(3, 2, 2, dtype=torch.uint8)]) == []
