"""Normals from depth against surfaces whose normals are known."""

import numpy as np
import pytest
import torch

from taskweave.data import NYUV2_CAMERA, Intrinsics, Normals, normals_from_depth
from taskweave.data.generated.scenes import Scenes

SIZE = (120, 160)
CAMERA = NYUV2_CAMERA.scaled(0.25)


def rays():
    """(H, W, 3): the point of each pixel's ray at Z = 1, x right, y down, z forward."""
    v, u = np.mgrid[: SIZE[0], : SIZE[1]]
    return np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones(SIZE)], axis=-1)


def plane_depth(normal, distance):
    """Z of the plane with `normal` (y up, z to the camera) whose nearest point is `distance` away."""
    away = np.array([-normal[0], normal[1], normal[2]])  # the same direction, seen from behind, y down and z forward
    return distance / (rays() @ away)


def angles(found, expected):
    """Degrees between (3, H, W) and (3,) or (H, W, 3)."""
    cosine = (found.numpy().transpose(1, 2, 0) * np.asarray(expected)).sum(-1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def as_depth(array):
    return torch.from_numpy(array.astype(np.float32))[None]


def unit(*vector):
    return np.array(vector) / np.linalg.norm(vector)


PLANES = {
    "wall": (unit(0, 0, 1), 3.0),
    "floor": (unit(0, 1, 1e-1), 1.5),
    "left wall": (unit(0.8, 0, 0.9), 2.0),
    "slope": (unit(-0.3, 0.5, 0.8), 1.2),
}


@pytest.mark.parametrize(("normal", "distance"), PLANES.values(), ids=PLANES.keys())
def test_planes(normal, distance):
    depth = plane_depth(normal, distance)
    seen = (depth > 0) & (depth < 10)
    found = normals_from_depth(as_depth(np.where(seen, depth, 0)), CAMERA)
    assert isinstance(found, Normals)
    known = found.norm(dim=0).numpy() > 0
    assert known[seen].mean() > 0.95
    assert angles(found, normal)[known].max() < 0.1


def test_a_plane_measured_in_coarse_steps():
    """Steps of 10 mm at 3 m, as coarse as the sample data's: still within 4 degrees nearly everywhere."""
    normal, distance = PLANES["slope"]
    depth = np.round(plane_depth(normal, distance * 2) / 0.01) * 0.01
    off = angles(normals_from_depth(as_depth(depth), CAMERA), normal)
    assert np.median(off) < 1.5
    assert np.quantile(off, 0.95) < 4


def test_a_sphere():
    """Radius 1 m, centre 3 m ahead."""
    direction = rays()
    along, ahead = (direction**2).sum(-1), 3.0 * direction[..., 2]
    root = ahead**2 - along * (9 - 1)
    inside = root > 0
    depth = np.where(inside, (ahead - np.sqrt(np.maximum(root, 0))) / along, 0)
    outward = depth[..., None] * direction - np.array([0, 0, 3.0])
    expected = outward * np.array([1, -1, -1])
    found = normals_from_depth(as_depth(depth), CAMERA, radius=3)
    known = (found.norm(dim=0).numpy() > 0) & (expected[..., 2] > 0.4)
    off = angles(found, expected)[known]
    assert np.median(off) < 1
    assert np.quantile(off, 0.99) < 6


@pytest.mark.parametrize(("first", "second"), [(unit(1, 0, 1), unit(-1, 0, 1)), (unit(0, -1, 1), unit(0, 1, 1))])
def test_a_crease_stays_sharp(first, second):
    """Two walls that meet at a right angle: 3 pixels from the edge the normals are right, in spite of windows of 15."""
    depths = plane_depth(first, 2.0), plane_depth(second, 2.0)
    found = normals_from_depth(as_depth(np.minimum(*depths)), CAMERA)
    ours = depths[0] < depths[1]
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    from_edge = np.abs(columns - CAMERA.cx) if first[0] else np.abs(rows - CAMERA.cy)
    for part, normal in ((ours, first), (~ours, second)):
        assert part[from_edge > 3].any()
        assert np.quantile(angles(found, normal)[part & (from_edge > 3)], 0.99) < 2


def test_holes_stay_holes_and_do_not_spread():
    normal, distance = PLANES["slope"]
    depth = plane_depth(normal, distance)
    depth[40:60, 50:80] = 0
    found = normals_from_depth(as_depth(depth), CAMERA)
    hole = depth == 0
    assert (found.norm(dim=0).numpy()[hole] == 0).all()
    assert angles(found, normal)[~hole].max() < 0.1


def test_no_depth_no_normals():
    assert normals_from_depth(torch.zeros(1, 20, 20), CAMERA).abs().sum() == 0
    lonely = torch.zeros(1, 20, 20)
    lonely[0, 10, 5:9] = 2.0  # four pixels on a line determine no plane
    assert normals_from_depth(lonely, CAMERA).abs().sum() == 0


def test_a_mirrored_picture_has_mirrored_normals():
    camera = Intrinsics(fx=130, fy=130, cx=79.5, cy=59.5)
    depth = as_depth(np.abs(np.random.default_rng(0).normal(size=SIZE)).cumsum(0).cumsum(1) / 2e3 + 2)
    plain = normals_from_depth(depth, camera)
    mirrored = normals_from_depth(depth.flip(-1), camera)
    expected = plain.flip(-1) * torch.tensor([-1.0, 1, 1])[:, None, None]
    assert torch.allclose(mirrored.as_subclass(torch.Tensor), expected.as_subclass(torch.Tensor), atol=1e-4)


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(1, H, W\) in metres, got shape \(4, 5\)"):
        normals_from_depth(torch.ones(4, 5), CAMERA)


def test_rendered_rooms(tmp_path, monkeypatch):
    """The exact normals of generated scenes follow from their exact depth: nothing here is shared but the camera."""
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path))
    scenes = Scenes(2, size=SIZE, labels=("depth", "normals"))
    for sample in scenes:
        found = normals_from_depth(sample["depth"], scenes.intrinsics, radius=3)
        off = angles(found, sample["normals"].numpy().transpose(1, 2, 0))
        assert np.median(off) < 1
        assert (off < 11.25).mean() > 0.75
