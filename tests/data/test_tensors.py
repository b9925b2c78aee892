"""What happens to depth and normals under torchvision's transforms."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from taskweave.data import Depth, Normals

fast = settings(max_examples=25, deadline=None)
sizes = st.tuples(st.integers(1, 12), st.integers(1, 12))
seeds = st.integers(0, 2**31)


def a_depth(size, seed):
    rng = np.random.default_rng(seed)
    depth = rng.uniform(0.5, 9, size=(1, *size)).astype(np.float32)
    return Depth(np.where(rng.random(depth.shape) < 0.3, 0, depth))


def some_normals(size, seed):
    rng = np.random.default_rng(seed)
    normals = rng.normal(size=(3, *size))
    normals /= np.linalg.norm(normals, axis=0)
    return Normals((normals * (rng.random(size) > 0.3)).astype(np.float32))


def lengths(normals):
    return normals.as_subclass(torch.Tensor).norm(dim=0)


@fast
@given(sizes, seeds)
def test_two_flips_change_nothing(size, seed):
    for flip in (F.horizontal_flip, F.vertical_flip):
        for value in (a_depth(size, seed), some_normals(size, seed)):
            assert torch.equal(flip(flip(value)), value)
            assert type(flip(value)) is type(value)


@fast
@given(sizes, seeds)
def test_a_mirror_negates_x_only(size, seed):
    normals = some_normals(size, seed)
    mirrored = F.horizontal_flip(normals)
    assert torch.equal(mirrored[0], -normals[0].flip(-1))
    assert torch.equal(mirrored[1:], normals[1:].flip(-1))


@fast
@given(sizes, seeds)
def test_upside_down_negates_y_only(size, seed):
    normals = some_normals(size, seed)
    turned = F.vertical_flip(normals)
    assert torch.equal(turned[1], -normals[1].flip(-2))
    assert torch.equal(turned[::2], normals[::2].flip(-2))


@fast
@given(sizes, sizes, seeds)
def test_resizing_invents_no_value_and_keeps_holes(size, other, seed):
    depth, normals = a_depth(size, seed), some_normals(size, seed)
    small, turned = F.resize(depth, list(other)), F.resize(normals, list(other))
    assert small.shape == (1, *other)
    assert set(small.flatten().tolist()) <= set(depth.flatten().tolist())
    vectors = {tuple(vector) for vector in normals.flatten(1).T.tolist()}
    assert {tuple(vector) for vector in turned.flatten(1).T.tolist()} <= vectors


def test_resizing_keeps_targets_aligned_with_a_mask():
    labels = torch.arange(1, 49).reshape(6, 8)
    for mode in (v2.InterpolationMode.NEAREST, v2.InterpolationMode.BILINEAR, v2.InterpolationMode.NEAREST_EXACT):
        mask = F.resize(tv_tensors.Mask(labels), [3, 5], interpolation=mode)
        depth = F.resize(Depth(labels[None]), [3, 5], interpolation=mode)
        assert torch.equal(mask.float(), depth[0]), mode


@fast
@given(st.floats(-180, 180), seeds)
def test_a_rotation_turns_normals(angle, seed):
    """One normal everywhere: wherever the rotated picture has a value it is that normal turned counter-clockwise, y up."""
    x, y, z = np.random.default_rng(seed).normal(size=3)
    length = math.sqrt(x * x + y * y + z * z)
    x, y, z = x / length, y / length, z / length
    normals = Normals(torch.tensor([x, y, z]).float()[:, None, None].expand(3, 9, 9).clone())
    rotated = F.rotate(normals, angle)
    a = math.radians(angle)
    expected = torch.tensor([x * math.cos(a) - y * math.sin(a), x * math.sin(a) + y * math.cos(a), z]).float()
    known = lengths(rotated) > 0
    assert known[4, 4]
    assert torch.allclose(rotated[:, known], expected[:, None], atol=1e-6)


@fast
@given(sizes, st.floats(-180, 180), st.booleans(), seeds)
def test_a_rotation_keeps_holes_and_invents_no_depth(size, angle, expand, seed):
    """Holes turn with a mask in which they are 255, and what comes in at the corners is a hole too."""
    depth, normals = a_depth(size, seed), some_normals(size, seed)
    for value, hole in ((depth, depth[0] == 0), (normals, lengths(normals) == 0)):
        mask = tv_tensors.Mask(torch.where(hole.as_subclass(torch.Tensor), 255, 1))
        turned = F.rotate(value, angle, expand=expand)
        holes = F.rotate(mask, angle, expand=expand, fill=255) == 255
        assert torch.equal((turned == 0).all(0), holes)
    assert set(F.rotate(depth, angle).flatten().tolist()) <= {0.0, *depth.flatten().tolist()}
    known = lengths(F.rotate(normals, angle))
    assert torch.allclose(known[known > 0], torch.ones(1), atol=1e-6)


def test_a_quarter_turn_by_hand():
    """The picture's right side, whose normals point right, becomes its top, whose normals point up."""
    normals = torch.zeros(3, 5, 5)
    normals[0, :, 4] = 1
    turned = F.rotate(Normals(normals), 90)
    expected = torch.zeros(3, 5, 5)
    expected[1, 0, :] = 1
    assert torch.allclose(turned.as_subclass(torch.Tensor), expected, atol=1e-6)


def test_affine_turns_the_other_way_round():
    """torchvision's affine is clockwise, its rotate counter-clockwise: both must turn vectors with their pixels."""
    normals = some_normals((7, 7), 3)
    by_affine = F.affine(normals, angle=-90, translate=[0, 0], scale=1.0, shear=[0.0, 0.0])
    assert torch.allclose(by_affine.as_subclass(torch.Tensor), F.rotate(normals, 90).as_subclass(torch.Tensor), atol=1e-6)


def test_affine_scale_divides_depth():
    scaled = F.affine(Depth(torch.full((1, 9, 9), 3.0)), angle=0, translate=[0, 0], scale=1.5, shear=[0.0, 0.0])
    assert torch.equal(scaled, torch.full((1, 9, 9), 2.0))


def test_shear_and_warps_are_refused():
    sample = {"image": tv_tensors.Image(torch.zeros(3, 64, 64, dtype=torch.uint8)), "normals": some_normals((64, 64), 0)}
    with pytest.raises(ValueError, match="cannot follow a shear"):
        F.affine(sample["normals"], angle=0, translate=[0, 0], scale=1.0, shear=[5.0, 0.0])
    for transform in (v2.RandomResizedCrop(4), v2.RandomPerspective(p=1.0), v2.ElasticTransform()):
        with pytest.raises(TypeError, match="has no meaning for normals targets"):
            transform(sample)


def test_padding_has_no_label():
    padded = F.pad(Depth(torch.ones(1, 2, 2)), [1, 0, 2, 3], fill=7, padding_mode="constant")
    assert padded.shape == (1, 5, 5)
    assert padded.sum() == 4
    assert F.pad(some_normals((2, 2), 0), [1, 1, 1, 1], padding_mode="reflect")[:, 0].abs().sum() == 0
    assert F.center_crop(Depth(torch.ones(1, 2, 2)), [4, 4]).sum() == 4


def test_crops_are_cut_out():
    depth = Depth(torch.arange(12).reshape(1, 3, 4))
    assert torch.equal(F.crop(depth, 1, 2, 2, 2), torch.tensor([[[6.0, 7.0], [10.0, 11.0]]]))
    assert F.get_size(depth) == [3, 4]


def test_colour_jitter_leaves_targets():
    sample = {
        "image": tv_tensors.Image(torch.randint(0, 256, (3, 8, 8), dtype=torch.uint8)),
        "depth": a_depth((8, 8), 1),
        "normals": some_normals((8, 8), 1),
        "segmentation": tv_tensors.Mask(torch.randint(0, 5, (8, 8))),
    }
    seen = v2.ColorJitter(brightness=(1.5, 1.6), contrast=0.4, saturation=0.4, hue=0.1)(sample)
    assert not torch.equal(seen["image"], sample["image"])
    for name in ("depth", "normals", "segmentation"):
        assert torch.equal(seen[name], sample[name]), name


def test_wrong_channels_are_refused():
    with pytest.raises(ValueError, match=r"Depth has shape \(\.\.\., 1, H, W\), got \(4, 5\)"):
        Depth(torch.zeros(4, 5))
    with pytest.raises(ValueError, match=r"Normals has shape \(\.\.\., 3, H, W\), got \(4, 5, 3\)"):
        Normals(torch.zeros(4, 5, 3))
