"""RoI pooling and the layers behind it, from their definitions."""

import pytest
import torch

from taskweave.heads.layers import FullyConnected
from taskweave.heads.pooled import RoiBoxes, RoiPooling, RoiScores


def pixels(x1: float, y1: float, x2: float, y2: float) -> torch.Tensor:
    return torch.tensor([[x1, y1, x2, y2]])


def test_a_region_of_whole_cells_is_pooled_cell_by_cell() -> None:
    """Cells 2..7 of columns and 1..6 of rows: pixels 16 i - 8 .. 16 i + 8 belong to cell i."""
    x = torch.randn(1, 3, 10, 12)
    roi = pixels(2 * 16 - 7, 1 * 16 - 7, 7 * 16 + 8, 6 * 16 + 8)
    assert torch.equal(RoiPooling()(x, [roi]), x[:, :, 1:7, 2:8])


def test_the_last_pixel_is_the_regions_own() -> None:
    """x2 = 104 is the edge behind pixel 103, which rounds to cell 6 (103 / 16 = 6.4); pixel 105 rounds to cell 7 (6.6)."""
    x = torch.arange(12.0).expand(1, 1, 6, 12)
    one = RoiPooling(1)
    assert float(one(x, [pixels(0, 0, 104, 16)])) == 6
    assert float(one(x, [pixels(0, 0, 106, 16)])) == 7


def test_each_part_gives_its_maximum() -> None:
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    pooled = RoiPooling(2, stride=1)(x, [pixels(0, 0, 4, 4)])
    assert pooled.tolist() == [[[[5.0, 7.0], [13.0, 15.0]]]]


def test_rows_follow_the_images() -> None:
    x = torch.tensor([1.0, 2.0, 3.0])[:, None, None, None].expand(3, 2, 4, 4)
    box = pixels(0, 0, 32, 32)
    pooled = RoiPooling()(x, [box, torch.zeros(0, 4), box.repeat(2, 1)])
    assert pooled.shape == (3, 2, 6, 6)
    assert pooled[:, 0, 0, 0].tolist() == [1, 3, 3]


def test_no_region_at_all_passes_and_has_a_gradient() -> None:
    x = torch.rand(2, 3, 4, 4, requires_grad=True)
    fc, head = FullyConnected(3 * 36, 7), RoiBoxes(7, 5)
    rois = [torch.zeros(0, 4)] * 2
    output = head(fc(RoiPooling()(x, rois)), rois)
    assert output.logits.shape == (0, 5) and output.deltas.shape == (0, 20)
    (output.logits.sum() + output.deltas.sum()).backward()
    assert x.grad is not None and not x.grad.any()


def test_half_precision_does_not_round_the_regions() -> None:
    """In bfloat16 pixel 1003 would be 1004, whose cell is another."""
    x = torch.arange(70.0).expand(1, 1, 2, 70)
    edge = 63 * 16 - 8  # 1000: 62.5 cells, the last pixel below rounds to 62
    roi = pixels(0, 0, edge, 16)
    full, half = (RoiPooling(1)(x.to(dtype), [roi]) for dtype in (torch.float32, torch.bfloat16))
    assert half.dtype == torch.bfloat16 and float(half) == float(full) == 62


def test_images_and_lists_of_regions_are_counted() -> None:
    with pytest.raises(ValueError, match="2 images need as many lists of regions, got 1"):
        RoiPooling()(torch.zeros(2, 3, 4, 4), [torch.zeros(1, 4)])


def test_heads_say_what_they_say() -> None:
    x, rois = torch.randn(3, 6, 1, 1), [torch.rand(2, 4), torch.rand(1, 4)]
    boxes, scores = RoiBoxes(6, 21), RoiScores(6, 64)
    detected, attributes = boxes(x, rois), scores(x, rois)
    torch.testing.assert_close(detected.logits, x[:, :, 0, 0] @ boxes.logits.weight.T + boxes.logits.bias)
    assert detected.logits.shape == (3, 21) and detected.deltas.shape == (3, 84)
    assert attributes.logits.shape == (3, 64)
    assert detected.rois == attributes.rois == tuple(rois)
    assert 0.008 < float(boxes.logits.weight.detach().std()) < 0.012
    assert 0.0008 < float(boxes.deltas.weight.detach().std()) < 0.0012
    with pytest.raises(ValueError, match="at least one class"):
        RoiBoxes(6, 1)
    with pytest.raises(ValueError, match="at least one attribute"):
        RoiScores(6, 0)
