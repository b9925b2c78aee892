"""Box coding, against numbers by hand and torchvision's coder."""

import math

import pytest
import torch
from torchvision.models.detection._utils import BoxCoder

from taskweave.heads.anchors import ANCHOR_WEIGHTS, LARGEST, ROI_WEIGHTS, decode_boxes, encode_boxes


def boxes(count: int) -> torch.Tensor:
    corner = 50 * torch.rand(count, 2, dtype=torch.float64)
    return torch.cat([corner, corner + 1 + 40 * torch.rand(count, 2, dtype=torch.float64)], 1)


def test_by_hand() -> None:
    """A 10 x 20 reference centred on (5, 10); a 20 x 20 box centred on (15, 15)."""
    coded = encode_boxes(torch.tensor([5.0, 5.0, 25.0, 25.0]), torch.tensor([0.0, 0.0, 10.0, 20.0]))
    torch.testing.assert_close(coded, torch.tensor([1.0, 0.25, math.log(2), 0.0]))
    weighted = encode_boxes(torch.tensor([5.0, 5.0, 25.0, 25.0]), torch.tensor([0.0, 0.0, 10.0, 20.0]), (10, 10, 5, 5))
    torch.testing.assert_close(weighted, torch.tensor([10.0, 2.5, 5 * math.log(2), 0.0]))


@pytest.mark.parametrize("weights", [ANCHOR_WEIGHTS, ROI_WEIGHTS])
def test_as_torchvision(weights) -> None:
    truth, references, deltas = boxes(9), boxes(9), torch.randn(9, 4, dtype=torch.float64)
    coder = BoxCoder(weights)
    torch.testing.assert_close(encode_boxes(truth, references, weights), coder.encode_single(truth, references))
    torch.testing.assert_close(decode_boxes(deltas, references, weights), coder.decode_single(deltas, references))
    torch.testing.assert_close(decode_boxes(encode_boxes(truth, references, weights), references, weights), truth)


def test_leading_axes_broadcast() -> None:
    anchors, deltas = boxes(5), torch.randn(2, 5, 4, dtype=torch.float64)
    decoded = decode_boxes(deltas, anchors)
    for image in range(2):
        torch.testing.assert_close(decoded[image], decode_boxes(deltas[image], anchors))
    by_class = decode_boxes(deltas.transpose(0, 1), anchors[:, None])
    torch.testing.assert_close(by_class.transpose(0, 1), decoded)


def test_a_decoded_box_does_not_overflow_and_none_is_no_mistake() -> None:
    huge = decode_boxes(torch.tensor([[0.0, 0.0, 1e4, 0.0]]), torch.tensor([[0.0, 0.0, 2.0, 2.0]]))
    assert huge.isfinite().all()
    assert float(huge[0, 2] - huge[0, 0]) == pytest.approx(2 * math.exp(LARGEST)) == pytest.approx(125)
    assert decode_boxes(torch.zeros(0, 4), torch.zeros(0, 4)).shape == (0, 4)
    assert decode_boxes(torch.zeros(1, 4, dtype=torch.bfloat16), torch.zeros(1, 4)).dtype == torch.float32
