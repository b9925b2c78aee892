"""Pyramid pooling against its definition."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from taskweave.features import FeatureShape
from taskweave.heads import PyramidPooling


def test_the_means_are_enlarged_beside_the_feature() -> None:
    head = PyramidPooling(FeatureShape.image(4), 3, bins=(1, 2), hidden=5).eval()
    x = torch.rand(2, 4, 6, 4)
    whole = x.mean((2, 3), keepdim=True)
    quarters = torch.stack([
        torch.stack([x[:, :, 3 * i : 3 * i + 3, 2 * j : 2 * j + 2].mean((2, 3)) for j in (0, 1)], -1) for i in (0, 1)
    ], -2)  # fmt: skip
    one, two = (F.relu(branch.conv(mean)) for branch, mean in zip(head.branches, (whole, quarters), strict=True))
    assert one.shape[1] == two.shape[1] == 2
    large = F.interpolate(two, size=(6, 4), mode="bilinear", align_corners=False)
    joined = F.relu(head.join.conv(torch.cat([x, one.expand(-1, -1, 6, 4), large], 1)))
    torch.testing.assert_close(head(x), head.classifier(joined))


def test_counts_of_the_default() -> None:
    with torch.device("meta"):
        head = PyramidPooling(FeatureShape.image(512), 20)
    branches, join, last = 4 * (512 * 128 + 128), 1024 * 512 * 9 + 512, 512 * 20 + 20
    assert sum(p.numel() for p in head.parameters()) == branches + join + last


def test_a_map_smaller_than_the_bins_and_a_batch_of_one_in_training() -> None:
    head = PyramidPooling(FeatureShape.image(8), 3, hidden=4, batch_norm=(0.1, 1e-5)).train()
    assert head(torch.rand(1, 8, 2, 3)).shape == (1, 3, 2, 3)
    assert [name for name, m in head.named_modules() if isinstance(m, nn.BatchNorm2d)] == ["join.norm"]


@pytest.mark.parametrize("bins", [(), (0, 1), (1, 2, 3)])
def test_refusals(bins) -> None:
    with pytest.raises(ValueError, match="bins are grids of 1 or more cells a side, 1 to 2 of them"):
        PyramidPooling(FeatureShape.image(2), 3, bins=bins)
