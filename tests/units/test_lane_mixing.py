"""Lanes stacked in channels: by hand, and what every unit keeps."""

import pytest
import torch
from contracts.unit_contract import (
    UnitCase,
    assert_every_parameter_learns,
    assert_list_in_list_out,
    assert_maps_and_tokens_agree,
    assert_start,
    maps,
)

from taskweave.features import FeatureShape
from taskweave.units import LaneMixing

PAIRS = [[0.5, 0.25, None], [0.1, None, 2.0]]


def case(start: list[list[float | None]]) -> UnitCase:
    return UnitCase("", lambda s: LaneMixing(s, matrix=start), len, channels=True, sizes=True, gathers=True)


def test_by_hand() -> None:
    unit = LaneMixing([FeatureShape.image(6, 1, 1)], matrix=PAIRS)
    (out,) = unit([torch.tensor([1.0, 2.0, 10.0, 20.0, 100.0, 200.0]).view(1, 6, 1, 1)])
    torch.testing.assert_close(out.flatten(), torch.tensor([3.0, 6.0, 200.1, 400.2]))
    assert unit.alpha.tolist() == pytest.approx([0.5, 0.25, 0.1, 2.0])


def test_unit_contract() -> None:
    for start in (PAIRS, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [[1.0, None], [None, 1.0]], [[0.5, 0.5]]):
        one = case(start)  # type: ignore[arg-type]
        assert_list_in_list_out(one, maps(1, channels=12))
        assert_every_parameter_learns(one, maps(1, channels=12))
    assert_maps_and_tokens_agree(case([[0.3, 0.7], [None, 1.0]]), 1)
    assert_start(case([[1.0, None], [None, 1.0]]), 1)
    assert_start(case([[1.0, 0.0], [0.1, 1.0]]), 1)
    with torch.autocast("cpu", torch.bfloat16):
        unit = LaneMixing(maps(1, channels=12), matrix=PAIRS)
        assert unit([torch.rand(2, 12, 3, 3).bfloat16()])[0].dtype == torch.bfloat16


def test_what_is_refused() -> None:
    for start in ([], [[]], [[0.5, None], [None, None]], [[0.5], [0.5, 0.5]]):
        with pytest.raises(ValueError, match="rows of one length, each with a link"):
            LaneMixing(maps(1), matrix=start)
    with pytest.raises(ValueError, match=r"one feature of 3 equal lanes of channels, got \(B, C=4, 6, 5\)"):
        LaneMixing(maps(1), matrix=PAIRS)
    with pytest.raises(ValueError, match="one feature of 2 equal lanes"):
        LaneMixing(maps(2), matrix=[[0.5, 0.5]])
