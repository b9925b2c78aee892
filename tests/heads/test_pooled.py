"""The pooled linear head against its definition."""

import pytest
import torch

from taskweave.features import FeatureShape
from taskweave.heads import PooledLinear


def test_it_is_a_linear_layer_on_each_channels_mean() -> None:
    head, x = PooledLinear(FeatureShape.image(3), 2), torch.rand(4, 3, 5, 7)
    means = torch.stack([torch.stack([x[b, c].sum() / 35 for c in range(3)]) for b in range(4)])
    torch.testing.assert_close(head(x), means @ head.linear.weight.T + head.linear.bias)
    assert head(x[..., :1, :2]).shape == (4, 2)


def test_its_numbers_and_its_start() -> None:
    torch.manual_seed(0)
    head = PooledLinear(FeatureShape.image(512), 100)
    assert sum(p.numel() for p in head.parameters()) == 512 * 100 + 100
    assert not head.linear.bias.any()
    assert head.linear.weight.std().item() == pytest.approx(0.01, rel=0.02)


def test_refusals() -> None:
    for shape in ((2, 3), (2, 4, 1, 1)):
        with pytest.raises(ValueError, match=r"PooledLinear expects a feature \(B, 3, h, w\), got \(2, .*; put it"):
            PooledLinear(FeatureShape.image(3), 2)(torch.zeros(shape))
    with pytest.raises(ValueError, match="at least one channel and one output, got 3 and 0"):
        PooledLinear(FeatureShape.image(3), 0)
