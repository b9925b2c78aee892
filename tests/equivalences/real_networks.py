"""Real networks to hold the papers' algebra against, in double precision, and ways to read and compare them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import pytest
import timm
import torch
from torch import Tensor, nn

import taskweave as tw
from taskweave.streams.stream import Memory
from taskweave.weaving.connect import UnitFactory

OUTPUTS = 5


@dataclass(frozen=True)
class Real:
    """A network, where its streams meet, and how large a picture it is shown."""

    name: str
    build: Callable[[], nn.Module]
    places: tuple[str, ...]
    size: int

    def __str__(self) -> str:
        return self.name


REAL = [
    Real(
        "deeplab_vgg16",
        partial(tw.networks.deeplab_vgg16, OUTPUTS, batch_norm=False),
        ("pool1", "pool2", "pool3", "pool4", "pool5"),
        32,
    ),
    Real(
        "resnet18", partial(timm.create_model, "resnet18", num_classes=OUTPUTS), ("stem", "layer1", "layer2", "layer3"), 48
    ),
    Real(
        "alexnet",
        partial(tw.networks.fcn32s_alexnet, OUTPUTS, body="torchvision", hidden=256),
        ("pool1", "pool2", "pool5", "fc6", "fc7"),
        64,
    ),
]
VGG = REAL[0]
real_networks = pytest.mark.parametrize(
    "real", [pytest.param(real, id=str(real), marks=pytest.mark.slow if real is VGG else ()) for real in REAL]
)


@cache
def streams_of(real: Real, count: int) -> dict[str, tw.Stream]:
    """The same `count` networks for every test, in eval mode: no test may change them."""
    if count > 2:
        return streams_of(real, 2) | {"third": _stream(real)}
    return {name: _stream(real) for name in ("first", "second")[:count]}


def _stream(real: Real) -> tw.Stream:
    with torch.random.fork_rng():
        torch.manual_seed(len(real.name))
        net = real.build()
        for module in net.modules():  # statistics that are not those of a fresh batch norm
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_mean, -0.1, 0.1)
                nn.init.uniform_(module.running_var, 0.5, 2)
    return tw.as_stream(net.double()).eval()


def picture(real: Real, *, batch: int = 1) -> Tensor:
    return torch.randn(batch, 3, real.size, real.size, dtype=torch.float64)


def connected(real: Real, count: int, unit: UnitFactory, *, at: Sequence[str] = ()) -> tw.Connected:
    net = tw.connect(streams_of(real, count), at or real.places, unit, example=picture(real), prove=False)
    return net.double().eval()


def alone(real: Real, count: int, x: Tensor) -> dict[str, Tensor]:
    return {name: stream(x) for name, stream in streams_of(real, count).items()}


def go(stream: tw.Stream, x: Tensor, memory: Memory, *, after: str | None = None, until: str | None = None) -> Tensor:
    """Run a stream's stages from after one to another, on a feature. Without `until`, to its output."""
    names = list(stream.stages)
    first = 0 if after is None else names.index(after) + 1
    last = len(names) if until is None else names.index(until) + 1
    for stage in names[first:last]:
        x = memory[stage] = stream.run(stage, x, memory)
    return x if until is not None else stream.exit(stream.net, memory)


def loss_of(outputs: Mapping[str, Tensor]) -> Tensor:
    """A scalar that weighs every number of every output differently, the same for the same shapes."""
    total = torch.zeros((), dtype=torch.float64)
    for i, y in enumerate(outputs.values()):
        total = total + (y * (torch.arange(y.numel(), dtype=y.dtype).reshape(y.shape) + i).sin()).sum()
    return total


def gradients(loss: Tensor, streams: Mapping[str, tw.Stream]) -> dict[str, Tensor | None]:
    names = [(f"{s}.{n}", p) for s, stream in streams.items() for n, p in stream.named_parameters()]
    grads = torch.autograd.grad(loss, [p for _, p in names], retain_graph=True, allow_unused=True)
    return {name: grad for (name, _), grad in zip(names, grads, strict=True)}


def assert_same(a: Mapping[str, Tensor | None], b: Mapping[str, Tensor | None]) -> None:
    """Bit for bit."""
    assert a.keys() == b.keys()
    for name in a:
        assert (a[name] is None) == (b[name] is None), name
        assert a[name] is None or torch.equal(a[name], b[name]), f"{name}: {float((a[name] - b[name]).abs().max())}"


def assert_close(a: Mapping[str, Tensor], b: Mapping[str, Tensor], tolerance: float) -> None:
    """To `tolerance` relative to the largest number of each tensor of b."""
    assert a.keys() == b.keys()
    for name in a:
        largest = float(b[name].detach().abs().max())
        difference = float((a[name] - b[name]).detach().abs().max())
        assert difference <= tolerance * largest, f"{name}: {difference} of {largest}"


def named(tensors: Sequence[Tensor]) -> dict[str, Tensor]:
    return {str(i): x for i, x in enumerate(tensors)}
