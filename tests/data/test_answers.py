"""Targets with one answer per image, through transforms and into batches: they move with the image, or are missing."""

import pickle

import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from taskweave.data import Fit, RandomCrop, RandomScale, Reduced, Resize, ToInput
from taskweave.data.boxes import bounding_boxes, tidy
from taskweave.data.sample import collate
from taskweave.images import IMAGENET

SIZE = (20, 30)


def a_sample(box=(4.0, 2.0, 10.0, 12.0), *, age=31, species=1):
    return {
        "image": tv_tensors.Image(torch.randint(0, 256, (3, *SIZE), dtype=torch.uint8)),
        "key": "a",
        "species": torch.tensor(species),
        "age": torch.tensor(age),
        "box": bounding_boxes([box], SIZE),
    }


def box_of(sample) -> list[float]:
    return sample["box"].as_subclass(torch.Tensor)[0].tolist()


def test_the_box_moves_with_the_image_and_the_numbers_stay() -> None:
    for transform, expected in (
        (v2.RandomHorizontalFlip(p=1.0), [20.0, 2.0, 26.0, 12.0]),
        (Resize(size=(40, 15)), [2.0, 4.0, 5.0, 24.0]),
        (RandomScale(least=2.0, most=2.0), [8.0, 4.0, 20.0, 24.0]),
        (Fit(IMAGENET, size=(10, 10)), [4 / 3, 2 / 3 * 1.05, 10 / 3, 4.2]),
        (
            v2.Lambda(lambda sample: v2.functional.crop(sample, 5, 6, 10, 20), tv_tensors.BoundingBoxes),
            [0.0, 0.0, 4.0, 7.0],
        ),
    ):
        moved = ToInput(IMAGENET)(transform(a_sample()))
        assert box_of(moved) == pytest.approx(expected, abs=0.15), transform
        assert (moved["species"], moved["age"]) == (1, 31)
        assert moved["species"].dtype == torch.int64


def test_a_box_that_is_cropped_away_is_no_label() -> None:
    found = set()
    crop = RandomCrop(IMAGENET, size=(8, 8))
    for seed in range(30):
        torch.manual_seed(seed)
        moved = ToInput(IMAGENET)(crop(a_sample((0.0, 0.0, 3.0, 3.0))))
        assert {"species", "age", "key"} < moved.keys()
        found.add("box" in moved)
        if "box" in moved:
            x1, y1, x2, y2 = box_of(moved)
            assert x1 == y1 == 0 and 1 <= x2 <= 3 and 1 <= y2 <= 3
    assert found == {True, False}


def test_inputs_that_are_boxes_stay_though_they_are_empty() -> None:
    empty = bounding_boxes([], SIZE)
    assert set(tidy({"proposals": empty, "rois": empty, "box": empty})) == {"proposals", "rois"}


def test_smaller_sets_have_smaller_boxes() -> None:
    class One:
        def __getitem__(self, index: int):
            return a_sample()

    small = Reduced(One(), size=(10, 15))[0]  # type: ignore[arg-type]
    assert box_of(small) == [2.0, 1.0, 5.0, 6.0] and small["box"].canvas_size == (10, 15)


def test_batches() -> None:
    samples = [a_sample(age=3), a_sample((0.0, 0.0, 5.0, 5.0), age=99, species=0), a_sample()]
    del samples[1]["age"], samples[2]["box"]
    batch = pickle.loads(pickle.dumps(collate([ToInput(IMAGENET)(sample) for sample in samples]))).to(torch.device("cpu"))
    assert batch.targets["species"].tolist() == [1, 0, 1] and batch.targets["species"].dtype == torch.int64
    assert batch.targets["age"].tolist() == [3, 31] and batch.rows["age"].tolist() == [0, 2]
    assert batch.rows["box"].tolist() == [0, 1]
    assert [target["boxes"].tolist() for target in batch.targets["box"]] == [
        [[4.0, 2.0, 10.0, 12.0]],
        [[0.0, 0.0, 5.0, 5.0]],
    ]
    assert all(target["size"].tolist() == list(SIZE) for target in batch.targets["box"])
    assert all(type(value) is torch.Tensor for target in batch.targets["box"] for value in target.values())
