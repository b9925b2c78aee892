"""Manhattan alignment: the frame of a turned room is found, and predictions get nearer to the truth."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from taskweave.tasks import Normals, align_to_manhattan, manhattan_frame


def turned(seed: int) -> Tensor:
    """A random orthogonal frame, columns."""
    return torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(seed))).Q


def room(seed: int, size: int = 40) -> Tensor:
    """(3, size, size): floor, two walls of unequal area seen in a turned frame, and a slanted object."""
    frame = turned(seed)
    normals = torch.empty(3, size, size)
    normals[:, :, : size // 2] = frame[:, 0, None, None]
    normals[:, :, size // 2 :] = -frame[:, 1, None, None]
    normals[:, size * 3 // 4 :] = frame[:, 2, None, None]
    normals[:, 5:10, 5:10] = F.normalize(frame.sum(1), dim=0)[:, None, None]
    return normals


def degrees(a: Tensor, b: Tensor) -> Tensor:
    return torch.rad2deg(2 * torch.asin(((a - b).norm(dim=1) / 2).clamp(max=1)))


@pytest.mark.parametrize("seed", range(12))
def test_noisy_rooms_get_closer_to_the_truth(seed: int) -> None:
    truth = room(seed)[None]
    noisy = F.normalize(truth + 0.12 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(seed)), dim=1)
    before, after = (degrees(value, truth).mean() for value in (noisy, align_to_manhattan(noisy)))
    assert before > 7.0
    assert after < 0.35 * before, f"{before} -> {after} degrees"


def test_the_frame_is_found() -> None:
    rooms = torch.stack([room(seed) for seed in range(6)])
    frames = manhattan_frame(rooms)
    assert torch.allclose(frames.mT @ frames, torch.eye(3).expand(6, 3, 3), atol=1e-5)
    for seed in range(6):
        overlap = (turned(seed).T @ frames[seed]).abs()
        assert torch.allclose(overlap.max(0).values, torch.ones(3), atol=1e-4), "up to order and sign"


def test_rooms_of_a_batch_do_not_mix() -> None:
    rooms = torch.stack([room(seed) for seed in range(3)])
    each = torch.cat([align_to_manhattan(value[None]) for value in rooms])
    assert torch.allclose(align_to_manhattan(rooms), each, atol=1e-5)


def test_what_is_slanted_stays() -> None:
    truth = room(3)[None]
    aligned = align_to_manhattan(truth)
    assert torch.equal(aligned[..., 5:10, 5:10], truth[..., 5:10, 5:10])
    assert degrees(aligned, truth).max() < 0.1
    noisy = F.normalize(truth + 0.12 * torch.randn(truth.shape), dim=1)
    moved = [int((align_to_manhattan(noisy, within=limit) != noisy).any(1).sum()) for limit in (0.0, 5.0, 22.5)]
    assert moved[0] == 0 and moved[0] < moved[1] < moved[2]
    assert degrees(align_to_manhattan(noisy, within=10.0), noisy).max() < 10.01


def test_holes_and_a_single_wall() -> None:
    normals = torch.zeros(1, 3, 6, 6)
    assert torch.equal(align_to_manhattan(normals), normals)
    normals[:, :, :3] = F.normalize(torch.tensor([1.0, 2, 3]), dim=0).view(3, 1, 1)
    aligned = align_to_manhattan(normals)
    assert torch.allclose(aligned, normals, atol=1e-3)


def test_an_option_of_the_task() -> None:
    truth = room(1)[None]
    noisy = truth + 0.1 * torch.randn_like(truth)
    plain, aligned = (Normals(manhattan=flag).decode(noisy, (40, 40)) for flag in (False, True))
    assert degrees(aligned, truth).mean() < 0.5 * degrees(plain, truth).mean()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        again = Normals(manhattan=True).decode(noisy, (40, 40))
    assert torch.equal(again, aligned)
