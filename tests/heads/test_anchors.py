"""Anchors and a region proposal network's head: places, shapes and order, from their definitions."""

import pytest
import torch
from torch import nn

from taskweave.features import FeatureShape
from taskweave.heads.anchors import BIRDS, NINE_SCALES, PEDESTRIANS, AnchorHead, Anchors, proposals_of
from taskweave.heads.layers import AnchorOutputs

CPU = torch.device("cpu")


def test_pedestrians_are_nine_scales_of_one_shape() -> None:
    assert PEDESTRIANS.count == 9
    boxes = PEDESTRIANS.on_grid((1, 1), 16, CPU)
    width, height = (boxes[:, 2:] - boxes[:, :2]).unbind(1)
    torch.testing.assert_close(width / height, torch.full((9,), 0.41))
    torch.testing.assert_close(height[1:] / height[:-1], torch.full((8,), 1.3))
    assert float(height[0]) == pytest.approx(40)
    assert tuple(round(40 * 1.3**k, 3) for k in range(9)) == NINE_SCALES


def test_every_height_with_every_ratio() -> None:
    boxes = Anchors((10.0, 20.0), (0.5, 2.0)).on_grid((1, 1), 8, CPU)
    assert boxes.tolist() == [[1.5, -1, 6.5, 9], [-6, -1, 14, 9], [-1, -6, 9, 14], [-16, -6, 24, 14]]
    assert BIRDS.count == 21


def test_cells_are_centred_on_what_pools_see() -> None:
    """Cell (row 1, column 2) of stride 16 stands for pixels 32..48 x 16..32."""
    boxes = Anchors((10.0, 20.0), (1.0,)).on_grid((2, 3), 16, CPU)
    assert boxes.shape == (12, 4)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert centres[0].tolist() == centres[1].tolist() == [8, 8]
    assert centres[2].tolist() == [24, 8]  # to the right first
    assert centres[11].tolist() == [40, 24]


@pytest.mark.parametrize("values", [(), (0.0,), (-1.0,), (float("nan"),), (float("inf"),)])
def test_refusals(values) -> None:
    with pytest.raises(ValueError, match="heights of anchors are positive numbers"):
        Anchors(values, (1.0,))
    with pytest.raises(ValueError, match="ratios of anchors are positive numbers"):
        Anchors((1.0,), values)


def test_outputs_are_in_the_order_of_the_anchors() -> None:
    """Give every channel of both layers a number, and every cell its own feature: row k must be anchor k's."""
    shape, channels = FeatureShape.image(1, stride=16), 3
    head = AnchorHead(shape, channels, heights=(10.0, 20.0, 30.0), ratios=(1.0,), hidden=1)
    head.conv = nn.Identity()
    with torch.no_grad():
        for layer in (head.logits, head.deltas):
            layer.weight.fill_(100)
            layer.bias.copy_(torch.arange(layer.out_channels))
    x = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
    output = head(x)
    row = (2 * 1 + 0) * 3 + 1  # cell (1, 0), whose feature is 2, second anchor
    assert output.logits[0, row].tolist() == [203, 204, 205]
    assert output.deltas[0, row].tolist() == [204, 205, 206, 207]
    assert output.anchors[row].tolist() == [8 - 10, 24 - 10, 8 + 10, 24 + 10]
    assert output.logits.shape == (1, 12, 3) and output.deltas.shape == (1, 12, 4)


def test_start_and_refusal() -> None:
    head = AnchorHead(FeatureShape.image(64, stride=16), 2, heights=PEDESTRIANS.heights, hidden=32)
    assert head.anchors == PEDESTRIANS
    for layer in (head.conv.conv, head.logits, head.deltas):
        assert float(layer.weight.detach().std()) == pytest.approx(0.01, rel=0.1)
        assert not layer.bias.any()
    with pytest.raises(ValueError, match="at least one class, background not counted, got 0"):
        AnchorHead(FeatureShape.image(4, stride=16), 1)
    with pytest.raises(ValueError, match="a feature whose stride is known"):
        AnchorHead(FeatureShape.image(4), 2)


def proposing(boxes: list[list[float]], background: list[float]) -> AnchorOutputs:
    logits = torch.tensor([[value, 0.0, 0.0] for value in background])[None]
    return AnchorOutputs(logits, torch.zeros(1, len(boxes), 4), torch.tensor(boxes))


def test_proposals_are_clipped_suppressed_and_ranked() -> None:
    output = proposing(
        [
            [0.0, 0.0, 20.0, 20.0],
            [0.0, 0.0, 20.0, 19.0],  # IoU .95 with the first, less sure
            [-10.0, 5.0, 10.0, 45.0],  # reaches outside
            [60.0, 0.0, 70.0, 10.0],  # wholly outside
            [20.0, 20.0, 30.0, 30.0],
        ],
        [0.0, 1.0, -5.0, -9.0, 3.0],
    )
    (found,) = proposals_of(output, (40, 50))
    assert found.tolist() == [[0, 5, 10, 40], [0, 0, 20, 20], [20, 20, 30, 30]]
    (two,) = proposals_of(output, (40, 50), count=2)
    assert two.tolist() == [[0, 5, 10, 40], [0, 0, 20, 20]]
    (loose,) = proposals_of(output, (40, 50), nms=0.99)
    assert len(loose) == 4
    (best,) = proposals_of(output, (40, 50), before=2)
    assert best.tolist() == [[0, 5, 10, 40]]  # the surest of all was outside
