"""Gradients of cross-stitch units: eqs. 2 and 3 (E14), and finite differences; and E13."""

from functools import partial

import pytest
import torch
from equivalences.real_networks import VGG, Real, connected, loss_of, picture, real_networks
from torch import Tensor, nn

import taskweave as tw


class Seen:
    """What a unit was given and gave in one call, with gradients kept."""

    def __init__(self, unit: nn.Module) -> None:
        unit.register_forward_hook(self.see)

    def see(self, unit: nn.Module, args: tuple[list[Tensor]], outputs: list[Tensor]) -> None:
        self.inputs, self.outputs = list(args[0]), list(outputs)
        for x in (*self.inputs, *self.outputs):
            x.retain_grad()


def relative(a: Tensor, b: Tensor) -> float:
    return float((a - b).detach().abs().max() / b.detach().abs().max())


@real_networks
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("per", ["channel", "layer"])
def test_e14_the_papers_gradients_hold_for_every_weight(real: Real, count: int, per: str) -> None:
    """eq. 2: dL/dx = A^T dL/dx~. eq. 3, corrected: dL/da_AB = sum over batch and places of dL/dx~_A x_B. The printed
    eq. 3, with x~_B and x_A, fails."""
    net = connected(real, count, partial(tw.CrossStitch, self_weight=0.7, per=per))
    units = [net.connection(i).unit for i in range(len(real.places))]
    seen = [Seen(unit) for unit in units]
    net.zero_grad()
    loss_of(net(picture(real, batch=2))).backward()
    for unit, call in zip(units, seen, strict=True):
        x, g = torch.stack(call.inputs), torch.stack([y.grad for y in call.outputs])
        a = unit.alpha.detach().expand(count, count, x.shape[2])
        assert relative(torch.stack([i.grad for i in call.inputs]), torch.einsum("tsc,tbchw->sbchw", a, g)) < 1e-12
        formula = torch.einsum("tbchw,sbchw->tsc", g, x)
        printed = torch.einsum("sbchw,tbchw->tsc", g, x)
        if per == "layer":
            formula, printed = formula.sum(-1, keepdim=True), printed.sum(-1, keepdim=True)
        assert relative(unit.alpha.grad, formula) < 1e-12
        assert relative(unit.alpha.grad, printed) > 1e-3
    net.zero_grad()


def slope(net: tw.Connected, x: Tensor, weight: Tensor, index: tuple[int, ...], step: float = 1e-6) -> float:
    """dL/dweight[index] by central differences."""
    values = []
    with torch.no_grad():
        for sign in (1, -1):
            kept = weight[index].clone()
            weight[index] += sign * step
            values.append(float(loss_of(net(x))))
            weight[index] = kept
    return (values[0] - values[1]) / (2 * step)


def toy() -> tw.Stream:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Conv2d(4, 4, 3), nn.Tanh(), nn.Conv2d(4, 2, 1)).double()
    return tw.Stream(net, {"one": ["0", "1"], "two": ["2", "3"], "last": ["4"]})


@pytest.mark.parametrize("count", [2, 3])
def test_every_weight_of_a_two_stage_toy_against_finite_differences(count: int) -> None:
    x = torch.randn(2, 3, 7, 7, dtype=torch.float64)
    net = tw.connect({str(i): toy() for i in range(count)}, ["one", "two"], tw.CrossStitch, example=x).double()
    for i in range(2):
        alpha = net.connection(i).unit.alpha
        (grad,) = torch.autograd.grad(loss_of(net(x)), [alpha])
        found = torch.tensor([slope(net, x, alpha, index) for index in _indices(alpha)], dtype=torch.float64)
        assert relative(grad.flatten(), found) < 1e-7


def _indices(weight: Tensor) -> list[tuple[int, ...]]:
    return [tuple(int(i) for i in index) for index in torch.ones_like(weight).nonzero()]


@pytest.mark.slow
def test_twenty_weights_of_deeplab_vgg16_against_finite_differences() -> None:
    net, x = connected(VGG, 2, tw.CrossStitch), picture(VGG)
    alphas = [net.connection(i).unit.alpha for i in range(len(VGG.places))]
    grads = torch.autograd.grad(loss_of(net(x)), alphas)
    for i in range(20):
        alpha, grad = alphas[i % 5], grads[i % 5]
        index = tuple(int(torch.randint(size, ())) for size in alpha.shape)
        error = abs(float(grad[index]) - slope(net, x, alpha, index))
        assert error < 1e-6 * float(grad.abs().max()), f"{VGG.places[i % 5]} {index}: {error}"


def test_e13_squared_distance_of_unit_vectors_is_twice_the_cosine_loss() -> None:
    n, m = torch.nn.functional.normalize(torch.randn(2, 1000, 3, dtype=torch.float64), dim=-1)
    squared = (n - m).square().sum(-1)
    cosine = 1 - (n * m).sum(-1)
    assert float((squared - 2 * cosine).abs().max()) < 4e-15  # lengths are 1 to an ulp; the distance goes up to 4
    assert float((squared.mean() - 2 * cosine.mean()).abs()) < 1e-15
