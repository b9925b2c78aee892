"""What units learned, against the linear maps that they are."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.units import (
    NDDR,
    CommonStitch,
    CrossConnection,
    CrossStitch,
    CrossTalk,
    Identity,
    LaneMixing,
    ScaleLayer,
    Sluice,
)
from taskweave.units.learned import learned_links
from taskweave.units.unit import Unit

C = 4
ALIKE = [FeatureShape.image(C, 1, 1)] * 2
OTHERS = [FeatureShape.image(C, 1, 1), FeatureShape.image(3, 1, 1)]
LANES = [[0.5, 0.25, None], [0.1, None, 2.0]]
BUILDERS: dict[str, Callable[[], Unit]] = {
    "cross-stitch": lambda: CrossStitch(ALIKE),
    "cross-stitch per layer": lambda: CrossStitch(ALIKE * 2, per="layer"),
    "scale layer": lambda: ScaleLayer(ALIKE),
    "common stitch": lambda: CommonStitch(ALIKE),
    "sluice": lambda: Sluice(ALIKE, subspaces=2),
    "NDDR": lambda: NDDR(OTHERS, order="none"),
    "cross-connection": lambda: CrossConnection(OTHERS, linear=True),
    "gated": lambda: CrossConnection(OTHERS, linear=True, gate=True, links=[(1, 0)]),
}


def shaken(unit: Unit) -> Unit:
    """Every weight away from its start, biases at 0: a linear map."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in unit.parameters():
            parameter.copy_(torch.randn_like(parameter))
        for module in unit.modules():
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                module.bias.zero_()
    return unit


def block(unit: Unit, source: int, target: int) -> Tensor:
    """(C_t, C_s): what one in each channel of the source makes of the target, all else 0."""
    columns = []
    for channel in range(unit.shapes[source].channels):
        features = [torch.zeros(1, shape.channels, 1, 1) for shape in unit.shapes]
        features[source][0, channel] = 1.0
        with torch.no_grad():
            columns.append(unit(features)[target].flatten())
    return torch.stack(columns, 1)


@pytest.mark.parametrize("name", BUILDERS)
def test_norms_are_those_of_the_linear_map(name: str) -> None:
    unit = shaken(BUILDERS[name]())
    links = learned_links(unit)
    for link in links:
        matrix = block(unit, link.source, link.destination)
        assert link.norm == pytest.approx(float(matrix.norm()) / math.sqrt(len(matrix)), rel=1e-5)
    told = {(link.source, link.destination) for link in links}
    silent = {(s, t) for s in range(len(unit.shapes)) for t in range(len(unit.shapes))} - told
    assert all(not block(unit, s, t).any() for s, t in silent)
    assert silent == ({(0, 1)} if name == "gated" else set())


def test_lanes_by_hand() -> None:
    links = learned_links(LaneMixing([FeatureShape.image(6, 1, 1)], matrix=LANES))
    assert [(link.source, link.destination) for link in links] == [(0, 0), (1, 0), (0, 1), (2, 1)]
    assert [link.norm for link in links] == pytest.approx([0.5, 0.25, 0.1, 2.0])


def test_alphas_are_the_weights_of_each_link() -> None:
    unit = CrossStitch(ALIKE)
    with torch.no_grad():
        unit.alpha[1, 0] = torch.tensor([0.1, 0.2, 0.3, 0.4])
    found = {(link.source, link.destination): link.alphas for link in learned_links(unit)}
    assert found[0, 1] == pytest.approx((0.1, 0.2, 0.3, 0.4)), "into stream 1 from stream 0"
    assert found[1, 0] == pytest.approx((0.1,) * C) and found[0, 0] == pytest.approx((0.9,) * C)


def test_an_identity_start_has_same_1_and_other_0() -> None:
    units = [CrossStitch(ALIKE, self_weight=1.0), NDDR(ALIKE, self_weight=1.0), ScaleLayer(ALIKE, other_weight=0.0)]
    units += [Sluice(ALIKE, matrix=torch.eye(4).tolist()), CrossConnection(ALIKE, gate=True)]
    for unit in units:
        for link in learned_links(unit):
            assert link.norm == (link.source == link.destination), unit


def test_a_sluice_has_the_weights_between_all_subspaces() -> None:
    matrix = [[float(10 * row + column) for column in range(4)] for row in range(4)]
    found = {(link.source, link.destination): link.alphas for link in learned_links(Sluice(ALIKE, matrix=matrix))}
    assert found[1, 0] == (2.0, 3.0, 12.0, 13.0) and found[0, 1] == (20.0, 21.0, 30.0, 31.0)


def test_units_without_such_weights_have_none() -> None:
    assert learned_links(Identity(ALIKE)) == () == learned_links(CrossTalk(ALIKE))
