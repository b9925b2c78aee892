"""Cross-stitch units: golden values, starts, counts, refusals."""

import pytest
import torch

from taskweave.features import FeatureShape
from taskweave.units import CrossStitch

TWO = [FeatureShape.image(2, 1, 2)] * 2


def test_golden_values_per_channel() -> None:
    """out[i] = sum_j a[i][j][c] * x[j][:, c], worked out by hand."""
    unit = CrossStitch(TWO)
    with torch.no_grad():
        unit.alpha.copy_(torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]))
    a = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])
    b = torch.tensor([[[[10.0, 20.0]], [[30.0, 40.0]]]])
    for_a, for_b = unit([a, b])
    # channel 0: 1 a + 3 b and 5 a + 7 b; channel 1: 2 a + 4 b and 6 a + 8 b
    assert for_a.tolist() == [[[[31.0, 62.0]], [[126.0, 168.0]]]]
    assert for_b.tolist() == [[[[75.0, 150.0]], [[258.0, 344.0]]]]


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ({}, [[0.9, 0.1], [0.1, 0.9]]),
        ({"self_weight": 0.7}, [[0.7, 0.3], [0.3, 0.7]]),
        ({"self_weight": 1.0, "other_weight": 0.5}, [[1.0, 0.5], [0.5, 1.0]]),
        ({"matrix": [[0.0, 1.0], [-1.0, 2.0]]}, [[0.0, 1.0], [-1.0, 2.0]]),
    ],
)
@pytest.mark.parametrize("per", ["channel", "layer"])
def test_starts(options, rows, per) -> None:
    unit = CrossStitch(TWO, per=per, **options)
    expected = torch.tensor(rows)[:, :, None].expand(2, 2, 2 if per == "channel" else 1)
    torch.testing.assert_close(unit.alpha.detach(), expected)


def test_three_streams_share_what_is_left() -> None:
    unit = CrossStitch([TWO[0]] * 3, self_weight=0.8)
    row = torch.tensor([0.1, 0.8, 0.1])
    torch.testing.assert_close(unit.alpha[1, :, 0].detach(), row)


@pytest.mark.parametrize(
    ("channels", "units", "numbers"),
    [
        ((96,), 96, 384),  # traps H: AlexNet's pool1
        ((96, 256, 256, 4096, 4096), 8_800, 35_200),  # CaffeNet: pool1, pool2, pool5, fc6, fc7
        ((64, 192, 256, 4096, 4096), 8_704, 34_816),  # torchvision's AlexNet
        ((64, 128, 256, 512, 512), 1_472, 5_888),  # VGG-16 pool1..5
    ],
)
def test_counts_of_the_paper(channels, units, numbers) -> None:
    built = [CrossStitch([FeatureShape.image(c, 1, 1)] * 2) for c in channels]
    assert sum(unit.alpha.shape[2] for unit in built) == units
    assert sum(p.numel() for unit in built for p in unit.parameters()) == numbers
    per_layer = [CrossStitch([FeatureShape.image(c, 1, 1)] * 2, per="layer") for c in channels]
    assert sum(p.numel() for unit in per_layer for p in unit.parameters()) == 4 * len(channels)


def test_learning_rate_is_the_methods_own() -> None:
    assert CrossStitch.sgd_lr_multiplier == 100
    assert not CrossStitch.decays


def test_one_unit_per_layer_serves_any_channels_and_one_per_channel_its_own() -> None:
    wide = [torch.randn(1, 5, 4, 4)] * 2
    assert CrossStitch(TWO, per="layer")(wide)[0].shape == (1, 5, 4, 4)
    with pytest.raises(ValueError, match=r"weights for 2 channels, got 5; .*per='layer'"):
        CrossStitch(TWO)(wide)


def test_inputs_of_different_sizes_are_not_broadcast() -> None:
    with pytest.raises(ValueError, match=r"CrossStitch was given features of different shapes, .*\(1, 2, 1, 1\)"):
        CrossStitch(TWO)([torch.ones(1, 2, 1, 2), torch.ones(1, 2, 1, 1)])


@pytest.mark.parametrize("matrix", [[[1.0]], [[1.0, 0.0], [0.0]], [[1.0, 0.0], [0.0, float("nan")]]])
def test_a_matrix_of_another_size_is_refused(matrix) -> None:
    with pytest.raises(ValueError, match="CrossStitch mixes 2 features, so its matrix needs 2 rows of 2 finite numbers"):
        CrossStitch(TWO, matrix=matrix)


def test_per_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="per 'channel' or per 'layer', got 'pixel'"):
        CrossStitch(TWO, per="pixel")  # type: ignore[arg-type]
