"""How far a connected network starts from its streams, and NDDR's batch norms calibrated to start where they are."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

import taskweave as tw
from taskweave.weaving.start import StartReport


def stream(*, dropout: float = 0.5) -> tw.Stream:
    """Two stages with batch norm and ReLU, dropout in between and at the end."""
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(dropout),
        nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.ReLU(),
        nn.Dropout(dropout), nn.Conv2d(4, 2, 1),
    )  # fmt: skip
    return tw.Stream(net.double(), {"one": ["0", "1", "2", "3"], "two": ["4", "5", "6"], "head": ["7", "8"]})


def picture(batch: int = 4) -> Tensor:
    return torch.randn(batch, 3, 9, 9, dtype=torch.float64)


def woven(unit, *, count: int = 2, dropout: float = 0.5) -> tw.Connected:
    streams = {str(i): stream(dropout=dropout) for i in range(count)}
    return tw.connect(streams, ["one", "two"], unit, example=picture())


def test_what_it_measures() -> None:
    net, x = woven(tw.CrossStitch, dropout=0.0), picture()
    report = tw.check_start(net, x)
    net.eval()
    assert report.eval == {name: float((net(x)[name] - net.stream(name)(x)).detach().abs().max()) for name in net.streams}
    assert min(report.eval.values()) > 0
    assert min(report.train.values()) > 0
    assert not report.exact_claimed


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(
    "unit",
    [
        tw.Identity,
        partial(tw.CrossStitch, self_weight=1.0),
        partial(tw.NDDR, self_weight=1.0, order="none"),
        partial(tw.CrossConnection, gate=True),
        partial(tw.Sluice, self_weight=1.0),
    ],
)
def test_exact_starts_are_exact_in_both_modes_whatever_dropout_draws(unit, count: int) -> None:
    report = tw.check_start(woven(unit, count=count), picture())
    assert report == StartReport(dict.fromkeys("012"[:count], 0.0), dict.fromkeys("012"[:count], 0.0), True)


def test_dropout_does_drop() -> None:
    """Otherwise the test above would say nothing."""
    net, x = woven(tw.Identity), picture()
    assert not torch.equal(net.train()(x)["0"], net(x)["0"])


def test_nothing_stays_changed() -> None:
    net = woven(tw.NDDR).train()
    net.streams["0"].eval()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    modes = [module.training for module in net.modules()]
    random = torch.random.get_rng_state()
    hooks = sum(len(module._forward_pre_hooks) + len(module._forward_hooks) for module in net.modules())
    x = torch.ones(2, 3, 9, 9, dtype=torch.float64)
    tw.check_start(net, x)
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert [module.training for module in net.modules()] == modes
    assert torch.equal(torch.random.get_rng_state(), random)
    assert sum(len(module._forward_pre_hooks) + len(module._forward_hooks) for module in net.modules()) == hooks


def test_the_report_in_words() -> None:
    report = tw.check_start(woven(tw.CrossStitch), picture())
    assert isinstance(report, StartReport)
    assert "largest difference" in str(report)
    assert "claim no exact start" in str(report)


def test_inputs_by_stream() -> None:
    net = woven(partial(tw.CrossStitch, self_weight=1.0))
    assert set(tw.check_start(net, {"0": picture(), "1": picture()}).eval.values()) == {0.0}


def test_a_number_that_is_none_counts_as_infinitely_far() -> None:
    net = woven(partial(tw.CrossStitch, matrix=[[1.0, 0.0], [1.0e308, 1.0e308]]))
    assert tw.check_start(net, 1e10 * picture()).eval["1"] == float("inf")


def test_too_small_an_example_for_train_mode_is_named() -> None:
    with pytest.raises(ValueError, match=r"compared in train mode too.*at least two pictures"):
        tw.check_start(woven(tw.CrossStitch), torch.randn(1, 3, 5, 5, dtype=torch.float64))


@pytest.mark.parametrize("order", ["authors", "paper"])
@pytest.mark.parametrize("count", [2, 3])
def test_calibration_makes_one_and_zero_the_single_networks(order: str, count: int) -> None:
    """Features after ReLU. Exact to rounding in eval mode; in train mode what a batch's statistics differ by is left."""
    net = woven(partial(tw.NDDR, self_weight=1.0, order=order), count=count, dropout=0.0)
    batches = [picture(16) for _ in range(3)]
    before = tw.check_start(net, batches[0])
    report = tw.calibrate(net, iter(batches))
    assert report.norms == 2 * count
    assert min(before.eval.values()) > 1e-7
    assert max(report.single.eval.values()) < 1e-12
    assert max(report.single.train.values()) < 0.5 * min(before.train.values())
    assert min(report.single.train.values()) > 0
    assert report.single == report.without_norm
    assert "batch norms calibrated" in str(report)


def test_calibration_with_other_weights_leaves_their_mixing_alone() -> None:
    net = woven(tw.NDDR, dropout=0.0)
    report = tw.calibrate(net, [picture(16), picture(16)])
    assert max(report.without_norm.eval.values()) < 1e-12
    assert min(report.single.eval.values()) > 1e-3


def test_calibration_sets_the_statistics_of_all_batches() -> None:
    """mu and sigma of what the first unit's convolution puts out in train mode, computed from the definition."""
    net, batches = woven(tw.NDDR, dropout=0.0), [picture(8), picture(3)]
    net.train()
    features = []
    with torch.no_grad():
        for x in batches:
            one = [net.stream(name).run("one", x, {}) for name in net.streams]
            features.append((0.9 * one[0] + (1 - 0.9) * one[1]).transpose(0, 1).flatten(1))
    together = torch.cat(features, 1)
    tw.calibrate(net, batches)
    norm = net.connection(0).unit.norms[0]
    torch.testing.assert_close(norm.running_mean, together.mean(1), rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(norm.running_var, together.var(1, unbiased=False), rtol=1e-6, atol=1e-8)
    assert torch.equal(norm.bias, norm.running_mean)
    torch.testing.assert_close(norm.weight.square(), norm.running_var + 1e-3)


def test_calibration_leaves_the_streams_as_they_are() -> None:
    net = woven(tw.NDDR).train()
    before = {name: value.clone() for name, value in net.streams.state_dict().items()}
    tw.calibrate(net, [picture()])
    assert all(torch.equal(value, before[name]) for name, value in net.streams.state_dict().items())
    assert all(module.training for module in net.modules())


@pytest.mark.parametrize(
    ("unit", "batches", "message"),
    [(tw.CrossStitch, [picture()], "this network has none"), (tw.NDDR, [], "at least one batch, got none")],
)
def test_nothing_to_calibrate_is_refused(unit, batches, message) -> None:
    with pytest.raises(ValueError, match=message):
        tw.calibrate(woven(unit), batches)


@pytest.mark.parametrize("unit", [tw.NDDR, tw.CrossStitch, tw.CrossConnection])
def test_units_come_in_the_precision_of_their_streams(unit) -> None:
    assert {p.dtype for p in woven(unit).connections.parameters()} == {torch.float64}
