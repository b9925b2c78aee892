"""Cityscapes: class sets from either label form, and disparity through transforms."""

import numpy as np
import pytest
import torch
from data import street_trees as trees
from data.refusing import refuses
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

import taskweave as tw
from taskweave.data import (
    CITYSCAPES_CLASSES,
    Depth,
    Disparity,
    Fit,
    RandomCrop,
    RandomScale,
    Resize,
    ZoomCrops,
)
from taskweave.images import IMAGENET


def meaning(classes):
    """{labelId: id in a class set, 255 where the benchmark evaluates none}, from the names."""
    sets = {
        19: {name: name for name in trees.NINETEEN},
        7: {name: category for category, names in trees.CATEGORIES.items() for name in names},
        2: {name: "person" if name in ("person", "rider") else "background" for name in trees.NINETEEN},
    }
    known = CITYSCAPES_CLASSES[classes]
    return {
        number: known.index(sets[classes][name]) if name in sets[classes] else 255
        for name, number in trees.LABEL_IDS.items()
    }


def test_class_sets():
    assert [len(CITYSCAPES_CLASSES[count]) for count in (19, 7, 2)] == [19, 7, 2]
    assert CITYSCAPES_CLASSES[19] == trees.NINETEEN
    assert CITYSCAPES_CLASSES[7] == tuple(trees.CATEGORIES)


@pytest.mark.parametrize("classes", [19, 7, 2])
def test_labels(tmp_path, classes):
    trees.write_cityscapes(tmp_path)
    data = tw.data.cityscapes("train", path=tmp_path, classes=classes).only(("segmentation",))
    assert data.classes == CITYSCAPES_CLASSES[classes]
    assert data.labels == ("segmentation",)
    assert [data.key(i) for i in range(3)] == list(trees.CITY_KEYS)
    assert [data.scene(i) for i in range(3)] == ["aachen", "aachen", "zurich"]
    expected, stored = meaning(classes), trees.city_labels(trees.CITY_KEYS[1])
    wanted = np.vectorize(expected.get)(stored)
    assert np.array_equal(data[1]["segmentation"].numpy(), wanted)
    assert set(np.unique(wanted)) == {*range(classes), 255}
    other_form = tw.data.cityscapes("train", path=tmp_path, classes=classes, coded="labelTrainIds").only(("segmentation",))
    assert torch.equal(other_form[1]["segmentation"], data[1]["segmentation"])


def test_disparity(tmp_path):
    trees.write_cityscapes(tmp_path, "val")
    data = tw.data.cityscapes("val", path=tmp_path).only(("segmentation", "disparity"))
    sample = data[0]
    stored = trees.city_disparity(trees.CITY_KEYS[0]).astype(float)
    assert type(sample["disparity"]) is Disparity
    assert np.array_equal(sample["disparity"][0].numpy(), np.where(stored == 0, 0, (stored - 1) / 256))
    assert sample["disparity"][0, 0, :3].tolist() == [0, 0, 1]  # none; infinitely far, which is invalid too; one pixel


def test_disparity_is_refused_where_it_cannot_be(tmp_path):
    trees.write_cityscapes(tmp_path)
    file = next(tmp_path.glob("disparity/train/aachen/*"))

    def first():
        return tw.data.cityscapes("train", path=tmp_path).only(("disparity",))[0]

    trees.save(file, np.zeros((trees.HEIGHT, trees.WIDTH), np.uint8))
    refuses(first, ValueError, file, "8 bits")
    file.unlink()
    refuses(first, FileNotFoundError, file, "disparity")


def test_wrong_choices_and_files(tmp_path):
    refuses(
        lambda: tw.data.cityscapes("train", path=tmp_path).only(("segmentation",)),
        FileNotFoundError,
        "leftImg8bit",
        "does not exist",
    )
    trees.write_cityscapes(tmp_path)
    refuses(
        lambda: tw.data.cityscapes("train_extra", path=tmp_path).only(("segmentation",)),
        ValueError,
        "'train_extra'",
        "'val'",
    )
    refuses(
        lambda: tw.data.cityscapes("train", path=tmp_path, classes=20).only(("segmentation",)),
        ValueError,
        "20 classes",
        "[19, 7, 2]",
    )
    refuses(
        lambda: tw.data.cityscapes("train", path=tmp_path, coded="color").only(("segmentation",)),
        ValueError,
        "'color'",
        "labelTrainIds",
    )
    refuses(lambda: tw.data.cityscapes("train", path=tmp_path).only(("edges",)), ValueError, "'edges'", "disparity")
    labels = next(tmp_path.glob("gtFine/train/aachen/*000000_000019*labelIds.png"))
    stored = trees.city_labels(trees.CITY_KEYS[0])
    stored[5, 6] = 34
    trees.save(labels, stored)
    refuses(
        lambda: tw.data.cityscapes("train", path=tmp_path).only(("segmentation",))[0],
        ValueError,
        labels,
        "label 34",
        "row 5, column 6",
    )
    labels.unlink()
    refuses(
        lambda: tw.data.cityscapes("train", path=tmp_path).only(("segmentation",)),
        FileNotFoundError,
        labels,
        "segmentation",
    )


# Disparity under transforms: baseline * focal length / depth


def a_sample(constant=12.0):
    depth = torch.full((1, 12, 16), 3.0)
    depth[:, 2:5, 3:9] = 6.0
    depth[:, 8:10, :4] = 0
    disparity = torch.where(depth > 0, constant / depth.clamp(min=1), 0.0)
    image = torch.randint(0, 256, (3, 12, 16), dtype=torch.uint8)
    return {"image": tv_tensors.Image(image), "key": "a", "depth": Depth(depth), "disparity": Disparity(disparity)}


@pytest.mark.parametrize(
    "transform",
    [
        Resize(size=(7, 9)),
        RandomScale(least=0.5, most=1.5),
        ZoomCrops(factors=(1.5,)),
        RandomCrop(IMAGENET, size=(9, 20)),
        Fit(IMAGENET, size=(20, 20)),
    ],
    ids=lambda transform: type(transform).__name__,
)
def test_disparity_stays_inverse_to_depth(transform):
    moved = transform(a_sample())
    assert type(moved["disparity"]) is Disparity
    depth, disparity = (moved[name].as_subclass(torch.Tensor) for name in ("depth", "disparity"))
    assert disparity.shape == depth.shape == (1, *moved["image"].shape[-2:])
    assert torch.equal(disparity == 0, depth == 0)
    assert (depth > 0).any()
    assert torch.allclose((depth * disparity)[depth > 0], torch.tensor(12.0))


def test_an_enlarged_picture_has_larger_disparities():
    moved = RandomScale(least=1.5, most=1.5)(a_sample())
    assert moved["disparity"].unique().tolist() == [0, 3, 6]  # 12 / 6 and 12 / 3, times 1.5


def test_disparity_under_torchvision():
    disparity = a_sample()["disparity"]
    for functional in (F.horizontal_flip, F.vertical_flip):
        assert type(functional(disparity)) is Disparity
    assert torch.equal(F.horizontal_flip(disparity), disparity.flip(-1))
    assert F.pad(disparity, [1, 1, 1, 1], fill=7)[0, 0].sum() == 0
    enlarged = F.affine(disparity, angle=0, translate=[0, 0], scale=2.0, shear=[0.0, 0.0])
    assert enlarged.unique().tolist() == [4, 8]  # 12 / 6 and 12 / 3, times 2; the hole at the edge is gone
    with pytest.raises(TypeError, match="disparity targets"):
        F.perspective(disparity, None, None, coefficients=[1.0] * 8)
    with pytest.raises(ValueError, match="Disparity has shape"):
        Disparity(torch.zeros(3, 4, 4))
