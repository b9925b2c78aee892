"""Cross-connections: golden values, links, gates, counts, adaptation, refusals."""

from dataclasses import replace

import pytest
import torch

from taskweave.features import FeatureShape
from taskweave.units import CrossConnection, CrossTalk

TWO = [FeatureShape.image(1, 1, 2), FeatureShape.image(2, 1, 2)]


def set_link(unit: CrossConnection, link: str, weight: list[list[float]], bias: list[float]) -> None:
    with torch.no_grad():
        unit.convolutions[link].weight.copy_(torch.tensor(weight)[:, :, None, None])
        unit.convolutions[link].bias.copy_(torch.tensor(bias))


@pytest.mark.parametrize("linear", [False, True])
def test_golden_values(linear: bool) -> None:
    """x_t + ReLU(W x_s + b) by hand; both directions use the features as they came."""
    unit = CrossConnection(TWO, linear=linear)
    set_link(unit, "0_to_1", [[1.0], [-2.0]], [0.5, 1.0])
    set_link(unit, "1_to_0", [[1.0, 1.0]], [-5.0])
    a = torch.tensor([[[[1.0, -1.0]]]])
    b = torch.tensor([[[[2.0, 3.0]], [[4.0, 1.0]]]])
    for_a, for_b = unit([a, b])
    assert for_a.flatten().tolist() == ([2.0, -2.0] if linear else [2.0, -1.0])  # b0 + b1 - 5 = 1, -1
    assert for_b.flatten().tolist() == ([3.5, 2.5, 3.0, 4.0] if linear else [3.5, 3.0, 4.0, 4.0])  # 1.5, -.5; -1, 3


def test_both_directions_start_at_random_with_zero_bias() -> None:
    unit = CrossConnection([FeatureShape.image(64, 2, 2)] * 2)
    for convolution in unit.convolutions.values():
        assert convolution.weight.std().item() == pytest.approx((2 / 64) ** 0.5, rel=0.1)
        assert (convolution.bias == 0).all()
    first, second = unit.convolutions.values()
    assert not torch.equal(first.weight, second.weight)


def test_counts_of_vgg16() -> None:
    """conv1_1 ... conv4_3, both ways: 2,048,000 weights, 2,053,376 numbers with biases."""
    with torch.device("meta"):
        units = [CrossConnection([FeatureShape.image(c, 1, 1)] * 2) for c in (64, 64, 128, 128, *[256] * 3, *[512] * 3)]
    assert sum(c.weight.numel() for unit in units for c in unit.convolutions.values()) == 2_048_000
    assert sum(p.numel() for unit in units for p in unit.parameters()) == 2_053_376


def test_gate_starts_exact_then_gate_and_convolution_learn() -> None:
    unit = CrossConnection([FeatureShape.image(4, 3, 3)] * 2, gate=True)
    optimiser = torch.optim.SGD(unit.parameters(), lr=0.1)
    x = [torch.rand(2, 4, 3, 3) for _ in range(2)]
    assert unit.exact_start
    assert all(torch.equal(a, b) for a, b in zip(unit(x), x, strict=True))
    moved = []
    for _ in range(2):
        optimiser.zero_grad()
        sum((y * torch.randn_like(y)).sum() for y in unit(x)).backward()
        moved.append([float(c.weight.grad.abs().sum()) for c in unit.convolutions.values()])
        assert all(gate.grad.abs().sum() > 0 for gate in unit.gates.values())
        optimiser.step()
    assert moved[0] == [0.0, 0.0]
    assert min(moved[1]) > 0


def test_directed_links() -> None:
    unit = CrossConnection([FeatureShape.image(4, 3, 3)] * 3, links=((0, 1), (2, 1)))
    assert [set(unit.sources(t)) for t in range(3)] == [{0}, {0, 1, 2}, {2}]
    x = [torch.rand(2, 4, 3, 3) for _ in range(3)]
    out = unit(x)
    assert torch.equal(out[0], x[0])
    assert torch.equal(out[2], x[2])
    carried = [torch.relu(unit.convolutions[f"{s}_to_1"](x[s])) for s in (0, 2)]
    torch.testing.assert_close(out[1], x[1] + carried[0] + carried[1])
    assert list(unit.forward_some({0: x[0]}, [0])) == [0]


def test_no_links_given_is_every_pair() -> None:
    unit = CrossConnection([FeatureShape.image(4, 3, 3)] * 3, links=())
    assert unit.links == ((0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1))
    assert not unit.exact_start and CrossConnection(TWO, gate=True).exact_start


def test_links_by_name() -> None:
    shapes = [replace(FeatureShape.image(4, 3, 3), stream=name) for name in ("seg", "depth", "normals")]
    assert CrossConnection(shapes, links=(("seg", "depth"), ("normals", 1))).links == ((0, 1), (2, 1))
    assert CrossTalk(shapes, links=(("normals", "seg"),)).links == ((2, 0),)
    with pytest.raises(ValueError, match=r"links names 'dept', which is none of the streams that meet here: \['seg', 'd"):
        CrossConnection(shapes, links=(("seg", "dept"),))
    with pytest.raises(ValueError, match=r"a link twice: \[\(0, 1\), \(0, 1\)\]"):
        CrossConnection(shapes, links=(("seg", "depth"), (0, 1)))


def test_unequal_sizes_are_resized_to_the_destinations() -> None:
    unit = CrossConnection([FeatureShape.image(1, 1, 2), FeatureShape.image(1, 1, 4)])
    for link in unit.convolutions:
        set_link(unit, link, [[1.0]], [0.0])
    small, large = torch.tensor([[[[0.0, 4.0]]]]), torch.tensor([[[[1.0, 3.0, 5.0, 7.0]]]])
    for_small, for_large = unit([small, large])
    assert for_small.flatten().tolist() == [2.0, 10.0]  # + (2, 6)
    assert for_large.flatten().tolist() == [1.0, 4.0, 8.0, 11.0]  # + (0, 1, 3, 4)


@pytest.mark.parametrize(
    ("links", "message"),
    [([(0, 0)], r"no link \(0, 0\)"), ([(0, 2)], r"no link \(0, 2\).*\(1, 0\)"), ([(0, 1), (0, 1)], "a link twice")],
)
def test_wrong_links_are_refused(links, message) -> None:
    with pytest.raises(ValueError, match=message):
        CrossConnection(TWO, links=links)
