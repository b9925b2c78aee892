"""The MTAN authors' mixture: golden values, counts, and in what it is no cross-stitch unit."""

import pytest
import torch
from networks.segnets import TINY

import taskweave as tw
from taskweave.features import FeatureShape
from taskweave.networks.segnet.segnet_vgg16 import SegNetVGG16, segnet_vgg16
from taskweave.units import CommonStitch, CrossStitch

TWO = [FeatureShape.image(2, 1, 2)] * 2
A = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])
B = torch.tensor([[[[10.0, 20.0]], [[30.0, 40.0]]]])


def test_golden_values() -> None:
    """2 a - b / 2 for both streams."""
    unit = CommonStitch(TWO)
    with torch.no_grad():
        unit.alpha.copy_(torch.tensor([2.0, -0.5]))
    for out in unit([A, B]):
        assert out.tolist() == [[[[-3.0, -6.0]], [[-9.0, -12.0]]]]


def test_at_the_start_k_alike_features_grow_k_fold() -> None:
    unit = CommonStitch([FeatureShape.image(2, 1, 2)] * 3)
    assert all(torch.equal(out, 3 * A) for out in unit([A, A, A]))
    assert all(torch.equal(out, 0.75 * A) for out in CommonStitch(TWO[:1] * 3, weight=0.25)([A, A, A]))


def test_it_is_a_cross_stitch_whose_rows_are_equal() -> None:
    unit = CommonStitch(TWO)
    with torch.no_grad():
        unit.alpha.copy_(torch.tensor([0.7, 0.4]))
    stitch = CrossStitch(TWO, matrix=[[0.7, 0.4], [0.7, 0.4]], per="layer")
    for out, expected in zip(unit([A, B]), stitch([A, B]), strict=True):
        torch.testing.assert_close(out, expected)


def test_its_gradient_is_the_sum_over_destinations() -> None:
    """d loss / d alpha[s] = sum_t (d loss / d out_t) . x_s."""
    unit = CommonStitch(TWO)
    first, second = unit([A, B])
    (2 * first.sum() + 3 * second[..., 0].sum()).backward()
    expected = [2 * x.sum() + 3 * x[..., 0].sum() for x in (A, B)]
    assert unit.alpha.grad is not None
    assert unit.alpha.grad.tolist() == expected


def test_counts_on_segnet() -> None:
    """The authors' 4 x 3 and 5 x 3 numbers for three tasks; right, per channel, 9 numbers for every channel of a place."""
    streams = {name: tw.as_stream(segnet_vgg16(2, widths=TINY)) for name in ("seg", "depth", "normals")}
    example = torch.rand(1, 3, 32, 32)
    coded = tw.connect(streams, SegNetVGG16.usual_stages, CommonStitch, example=example)
    assert sum(p.numel() for p in coded.connections.parameters()) == (4 + 5) * 3
    right = tw.connect(streams, SegNetVGG16.usual_stages, tw.CrossStitch, example=example)
    channels = [*TINY, TINY[3], TINY[2], TINY[1], TINY[0]]
    assert sum(p.numel() for p in right.connections.parameters()) == 9 * sum(channels)


def test_no_start_keeps_streams_apart() -> None:
    """Cross-stitch SegNets start as the single networks with (1, 0); as coded both streams get the same feature."""
    streams = {name: tw.as_stream(segnet_vgg16(2, widths=TINY)).eval() for name in ("seg", "depth")}
    x = torch.rand(1, 3, 32, 32)
    stitched = tw.connect(streams, SegNetVGG16.usual_stages, lambda shapes: CrossStitch(shapes, self_weight=1.0), example=x)
    with torch.no_grad():
        outputs = stitched.eval()(x)
        assert all(torch.equal(output, streams[name](x)) for name, output in outputs.items())
    unit = CommonStitch(TWO)
    first, second = unit([A, B])
    assert torch.equal(first, second)
    assert not unit.exact_start


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"CommonStitch needs equal channels in every stream, got \[2, 3\]"):
        CommonStitch([TWO[0], FeatureShape.image(3, 1, 2)])
    with pytest.raises(ValueError, match="at least 2 features"):
        CommonStitch(TWO[:1])
