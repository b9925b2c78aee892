"""Joint transforms: what they do to each kind of target."""

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torchvision import tv_tensors

from taskweave.data import Depth, Normals, RandomCrop, RandomScale, Resize, ToInput, ZoomCrops
from taskweave.images import CAFFE, IMAGENET

fast = settings(max_examples=25, deadline=None)
sizes = st.tuples(st.integers(4, 20), st.integers(4, 20))
seeds = st.integers(0, 2**31)


def a_sample(size, seed=0):
    """Depth 2 m, normals (0.6, 0, 0.8), holes in both where the mask is 255."""
    generator = torch.Generator().manual_seed(seed)
    hole = torch.rand(size, generator=generator) < 0.3
    ids = torch.randint(0, 5, size, generator=generator)
    normal = torch.tensor([0.6, 0.0, 0.8])[:, None, None].expand(3, *size)
    return {
        "image": tv_tensors.Image(torch.randint(0, 256, (3, *size), generator=generator, dtype=torch.uint8)),
        "key": "a",
        "segmentation": tv_tensors.Mask(ids.masked_fill(hole, 255)),
        "depth": Depth(torch.full((1, *size), 2.0).masked_fill(hole, 0)),
        "normals": Normals(normal.masked_fill(hole, 0)),
    }


def assert_aligned(sample):
    """Holes lie where the mask is 255, in depth and in normals; what is no hole is a unit vector."""
    hole = sample["segmentation"] == 255
    assert torch.equal(sample["depth"][0] == 0, hole)
    lengths = sample["normals"].as_subclass(torch.Tensor).norm(dim=0)
    assert torch.equal(lengths == 0, hole)
    assert torch.allclose(lengths[~hole], torch.ones(1))


def assert_kinds(sample):
    assert type(sample["image"]) is tv_tensors.Image
    assert type(sample["segmentation"]) is tv_tensors.Mask
    assert type(sample["depth"]) is Depth
    assert type(sample["normals"]) is Normals
    assert sample["key"] == "a"
    assert len({tuple(sample[name].shape[-2:]) for name in ("image", "segmentation", "depth", "normals")}) == 1


@fast
@given(sizes, sizes, seeds)
def test_resize(size, other, seed):
    sample = Resize(size=other)(a_sample(size, seed))
    assert_kinds(sample)
    assert_aligned(sample)
    assert sample["image"].shape == (3, *other)
    assert set(sample["depth"].unique().tolist()) <= {0.0, 2.0}, "another resolution of the same view is as far away"


def test_resize_takes_the_pixel_in_the_middle():
    """torchvision's own nearest takes the first of each three, half a block off what bilinear does to the image."""
    mask = tv_tensors.Mask(torch.arange(36).reshape(6, 6))
    image = tv_tensors.Image(torch.zeros(3, 6, 6, dtype=torch.uint8))
    reduced = Resize(size=(2, 2))({"image": image, "segmentation": mask})["segmentation"]
    assert reduced.tolist() == [[7, 10], [25, 28]]


@fast
@given(sizes, st.floats(0.5, 1.5), seeds)
def test_scale_divides_depth(size, scale, seed):
    before = a_sample(size, seed)
    after = RandomScale(least=scale, most=scale)(before)
    assert_kinds(after)
    assert_aligned(after)
    assert tuple(after["image"].shape[-2:]) == (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    known = after["depth"] > 0
    assert torch.allclose(after["depth"][known], torch.tensor(2.0 / scale))
    assert set(after["segmentation"].unique().tolist()) <= set(before["segmentation"].unique().tolist())


def test_random_scale_draws_the_whole_range():
    drawn = [RandomScale(least=0.5, most=1.5).make_params([a_sample((10, 10))["image"]])["scale"] for _ in range(200)]
    assert min(drawn) >= 0.5
    assert max(drawn) <= 1.5
    assert min(drawn) < 0.6
    assert max(drawn) > 1.4


@fast
@given(sizes, st.sampled_from([1.0, 1.2, 1.5, 3.0]), seeds)
def test_discrete_scale_keeps_the_size_and_divides_depth(size, scale, seed):
    after = ZoomCrops(factors=(scale,))(a_sample(size, seed))
    assert_kinds(after)
    assert_aligned(after)
    assert tuple(after["image"].shape[-2:]) == size
    known = after["depth"] > 0
    assert torch.allclose(after["depth"][known], torch.tensor(2.0 / scale))


def test_discrete_scale_of_one_is_the_identity():
    before = a_sample((7, 9))
    after = ZoomCrops(factors=(1.0,))(before)
    for name in ("image", "segmentation", "depth", "normals"):
        assert torch.equal(after[name], before[name]), name


def test_discrete_scale_draws_each():
    drawn = {ZoomCrops().make_params([a_sample((9, 9))["image"]])["scale"] for _ in range(60)}
    assert drawn == {1.0, 1.2, 1.5}


@pytest.mark.parametrize("statistics", [IMAGENET, CAFFE], ids=["imagenet", "caffe"])
def test_padding_is_zero_for_the_network_and_nothing_for_the_tasks(statistics):
    """A 4 x 6 picture in a 10 x 8 crop: 6 rows below and 2 columns to the right are padding."""
    before = a_sample((4, 6))
    padded = RandomCrop(statistics, size=(10, 8))(before)
    assert_kinds(padded)
    after = ToInput(statistics)(padded)
    assert after["image"].shape == (3, 10, 8)
    outside = torch.ones(10, 8, dtype=torch.bool)
    outside[:4, :6] = False
    assert after["image"][:, outside].abs().max() < 1e-4 * max(statistics.mean)
    assert (after["segmentation"][outside] == 255).all()
    assert (after["depth"][0][outside] == 0).all()
    assert (after["normals"][:, outside] == 0).all()
    assert torch.equal(after["segmentation"][:4, :6], before["segmentation"])
    expected = ToInput(statistics)(before)["image"]
    assert torch.allclose(after["image"][:, :4, :6], expected, atol=1e-3)


@fast
@given(sizes, sizes, seeds)
def test_crops_have_their_size_and_stay_aligned(size, crop, seed):
    torch.manual_seed(seed)
    after = RandomCrop(IMAGENET, size=crop)(a_sample(size, seed))
    assert_kinds(after)
    assert_aligned(after)
    assert tuple(after["image"].shape[-2:]) == crop


def test_crops_reach_every_corner():
    """In a picture of 3 x 3 numbered pixels every one of the four 2 x 2 crops comes up."""
    image = tv_tensors.Image(torch.zeros(3, 3, 3, dtype=torch.uint8))
    mask = tv_tensors.Mask(torch.arange(9).reshape(3, 3))
    crop = RandomCrop(IMAGENET, size=2)
    corners = {int(crop({"image": image, "segmentation": mask})["segmentation"][0, 0]) for _ in range(80)}
    assert corners == {0, 1, 3, 4}


def test_to_input_by_hand():
    """Red 255: (1 - 0.485) / 0.229 in the first channel; Caffe's first channel is blue, 0 - 104.00698793."""
    image = torch.zeros(3, 1, 1, dtype=torch.uint8)
    image[0] = 255
    imagenet = ToInput(IMAGENET)({"image": tv_tensors.Image(image)})["image"]
    caffe = ToInput(CAFFE)({"image": tv_tensors.Image(image)})["image"]
    assert type(imagenet) is torch.Tensor
    assert imagenet.dtype == torch.float32
    assert imagenet.flatten().tolist() == pytest.approx([0.515 / 0.229, -0.456 / 0.224, -0.406 / 0.225])
    assert caffe.flatten().tolist() == pytest.approx([-104.00698793, -116.66876762, 255 - 122.67891434])


def test_boxes_follow():
    """RandomScale by 2 doubles a box."""
    boxes = tv_tensors.BoundingBoxes(torch.tensor([[1.0, 2, 3, 4]]), format="XYXY", canvas_size=(8, 8))
    after = RandomScale(least=2.0, most=2.0)({**a_sample((8, 8)), "boxes": boxes})
    assert after["boxes"].tolist() == [[2, 4, 6, 8]]


def test_wrong_options_are_named():
    with pytest.raises(ValueError, match=r"least=0, most=1"):
        RandomScale(least=0, most=1)
    with pytest.raises(ValueError, match=r"got \(0.5, 1\)"):
        ZoomCrops(factors=(0.5, 1))
    with pytest.raises(ValueError, match="at least 1, got 0"):
        RandomCrop(IMAGENET, size=0)
    with pytest.raises(TypeError, match=r"needs a tv_tensors\.Image"):
        RandomScale()({"image": torch.zeros(3, 4, 4)})
