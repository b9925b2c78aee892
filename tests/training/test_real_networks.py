"""The same promises on networks and units that people use."""

import functools

import pytest
import torch
from training import toys

from taskweave.networks.resnet.deeplab_resnet import deeplab_resnet
from taskweave.parts import part
from taskweave.streams import as_stream
from taskweave.training import TrainingOptions, WeightDecay, fit, sgd
from taskweave.training.groups import describe, groups_of
from taskweave.units.cross_connection import CrossConnection
from taskweave.units.cross_stitch import CrossStitch
from taskweave.units.nddr import NDDR
from taskweave.weaving.connect import connect

pytestmark = pytest.mark.slow

UNITS = {"cross-stitch": CrossStitch, "NDDR": NDDR, "cross-connected": CrossConnection}


class MeanTask(toys.ToyTask):
    """Compares means, so that any output size will do."""

    def loss(self, output, target):
        return (output.mean((1, 2, 3)) - target.mean((1, 2, 3))).square().mean()


def connected(unit):
    pytest.importorskip("timm")
    torch.manual_seed(1)
    streams = {name: as_stream(deeplab_resnet(1, body="resnet18")) for name in ("a", "b")}
    return connect(streams, ["layer1", "layer3"], unit, example=torch.rand(2, 3, 33, 33), prove=False)


class Samples(toys.ToySamples):
    def __getitem__(self, at):
        sample = super().__getitem__(at)
        return {**sample, "image": sample["image"].repeat(1, 6, 6)[:, :33, :33]}


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_resumed_ends_bit_equal_in_the_default_mode(tmp_path, unit):
    tasks = {"a": MeanTask(), "b": MeanTask()}
    options = TrainingOptions(steps=3, batch_size=2, ema=0.9, optimizer=part(sgd, lr=1e-3), clip=1.0, device="cpu")
    train = functools.partial(fit, tasks=tasks, train=Samples(5), options=options, seed=0)
    whole, parts = connected(unit), connected(unit)
    train(whole, folder=tmp_path / "whole")
    train(connected(unit), folder=tmp_path / "parts", stop=toys.StopAfter(1))
    result = train(parts, folder=tmp_path / "parts")
    assert result.finished and result.step == 3
    toys.assert_same_state(toys.state_of(whole), toys.state_of(parts))


@pytest.mark.parametrize(("unit", "times"), [("cross-stitch", 100), ("NDDR", 100), ("cross-connected", 1)])
def test_the_methods_own_rates_are_printed(unit, times):
    net = connected(UNITS[unit])
    options = TrainingOptions(steps=1, weight_decay=WeightDecay(streams=5e-4, heads=5e-4, connections=5e-4))
    groups = groups_of(net, options)
    text = describe(groups)
    name = type(net.connection(0).unit).__name__
    assert f"{name} connections: lr x{times}" in text
    assert {g.multiplier for g in groups if g.label == f"{name} connections"} == {float(times)}
    assert sum(p.numel() for g in groups for p in g.parameters) == sum(p.numel() for p in net.parameters())
