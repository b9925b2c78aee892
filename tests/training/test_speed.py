"""The fastest safe mode."""

import pytest
import torch
from training import toys

from taskweave.training import TrainingOptions, fit, make_fabric, speed, validate


@pytest.mark.parametrize(("able", "expected"), [({"amx_bf16": True}, "bf16"), ({"avx512_bf16": True}, "bf16"), ({}, "32")])
def test_bf16_only_where_the_cpu_has_it(monkeypatch, able, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    settled = speed.settle(TrainingOptions(steps=1, device="cpu"))
    assert (settled.precision, settled.memory_format, settled.device) == (expected, "channels_last", "cpu")


def test_what_was_chosen_stays():
    chosen = TrainingOptions(steps=1, device="cpu", precision="32", memory_format="contiguous")
    assert speed.settle(chosen) == chosen
    assert "cpu" in speed.describe_speed(chosen) and "float32, contiguous" in speed.describe_speed(chosen)


def test_bf16_channels_last_trains_float32_weights_nearly_as_float32_does(tmp_path):
    nets = []
    for number, changes in enumerate(({}, {"precision": "bf16", "memory_format": "channels_last"})):
        net = toys.network(dropout=0.0)
        result = fit(
            net,
            toys.TASKS,
            toys.ToySamples(),
            toys.options(steps=20, **changes),
            folder=tmp_path / str(number),
            seed=0,
            validation=toys.ToySamples(5),
        )
        nets.append((net, result))
    assert {p.dtype for p in nets[1][0].parameters()} == {torch.float32}
    assert speed.is_channels_last(nets[1][0]) and not speed.is_channels_last(nets[0][0])
    exact, fast = nets[0][1].metrics, nets[1][1].metrics
    assert fast != exact and fast["a"]["error"] == pytest.approx(exact["a"]["error"], rel=0.05)
    # measured without Fabric: float32, a shade different
    again = validate(nets[1][0], toys.TASKS, toys.ToySamples(5), batch_size=5)
    assert again["a"]["error"] == pytest.approx(fast["a"]["error"], rel=0.02)


def test_a_device_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device='cuda' was asked for, but torch sees no CUDA device"):
        make_fabric(speed.settle(TrainingOptions(steps=1, device="cuda", precision="32")))


def test_bf16_rounds_no_input():
    """A region's edge at 599 would be one at 600 in bf16; the products are bf16 all the same."""

    class Reads(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(4, 1)

        def forward(self, regions):
            self.given, self.product = regions, self.linear(regions)
            return self.product

    regions = torch.tensor([[599.0, 0.25, 601.0, 333.3]])
    assert not torch.equal(regions.bfloat16().float(), regions)
    net = Reads()
    make_fabric(speed.settle(TrainingOptions(steps=1, device="cpu", precision="bf16"))).setup(net)(regions)
    assert torch.equal(net.given, regions) and net.product.dtype == torch.bfloat16
