"""Who learns how fast, and that it stays so."""

import pytest
import torch
from torch import nn
from training import toys

from taskweave.parts import part
from taskweave.training import constant, cosine, fit, poly, step
from taskweave.training.groups import describe, groups_of, make_optimizer, rates, set_rates
from taskweave.weaving.connected import Connected
from taskweave.weaving.plan import Connection
from taskweave.weighting.weighting import Weighting

SCHEDULES = {
    "constant": part(constant, warm_up=10),
    "poly": part(poly, total=20001),
    "step": part(step, every=300),
    "cosine": part(cosine, total=5000, warm_up=5),
}


def test_every_parameter_once_with_its_rate():
    net = toys.network()
    groups = groups_of(net, toys.options(connection_lr=None, last_layer_lr=10, bias_lr=20, weight_decay=0.1))
    found = {(g.label, g.multiplier, g.decay): sum(p.numel() for p in g.parameters) for g in groups}
    assert found == {
        ("streams", 1.0, 0.1): 2 * 4 * 3 * 9,
        ("streams", 1.0, 0.0): 2 * (4 + 4 + 4),  # bias, norm's weight and bias
        ("heads", 10.0, 0.1): 2 * 4,
        ("biases of heads", 20.0, 0.0): 2,
        ("Mix connections", 100.0, 0.0): 4,  # Mix does not decay
    }


def test_connections_are_as_fast_as_all_under_adam_and_decay_where_their_method_does():
    options = toys.options(connection_lr=None, optimizer={"use": "adam"}, weight_decay={"connections": 0.5})
    net = toys.network(unit=toys.Convolve())
    found = {(g.label, g.multiplier, g.decay): sum(p.numel() for p in g.parameters) for g in groups_of(net, options)}
    assert found[("Convolve connections", 1.0, 0.5)] == 2 * 8 * 4 and found[("Convolve connections", 1.0, 0.0)] == 2 * 4
    mixed = {g.label: g.multiplier for g in groups_of(toys.network(), options)}
    assert mixed["Mix connections"] == 1.0


def test_connection_lr_overrides_the_method():
    multipliers = {g.label: g.multiplier for g in groups_of(toys.network(), toys.options(connection_lr=7))}
    assert multipliers["Mix connections"] == 7.0


def test_connection_lr_by_kind_of_unit_speeds_up_no_other():
    streams = {"a": toys.stream(), "b": toys.stream()}
    units = [toys.Mix(), toys.Convolve()]
    places = ({"a": "body", "b": "body"}, {"a": "last", "b": "last"})
    net = Connected(streams, [Connection(at, unit) for at, unit in zip(places, units, strict=True)])

    def multipliers(given, **more):
        groups = groups_of(net, toys.options(connection_lr=given, **more))
        return {g.label.split()[0]: g.multiplier for g in groups if "connections" in g.label}

    assert multipliers({"mix": 1000}) == {"Mix": 1000.0, "Convolve": type(units[1]).sgd_lr_multiplier}
    assert multipliers({"convolve": 3}) == {"Mix": 100.0, "Convolve": 3.0}
    assert multipliers({"unit": 7, "mix": 2}) == {"Mix": 2.0, "Convolve": 7.0}, (
        "the class itself goes before what it extends"
    )
    assert multipliers({"mix": 9}, optimizer={"use": "adam"}) == {"Mix": 9.0, "Convolve": 1.0}


def test_shared_parameters_are_in_one_group_only():
    one = toys.ToyNet()
    streams = {"a": toys.stream(), "b": toys.stream()}
    streams["b"].net.body = streams["a"].net.body
    unit = toys.Mix()
    net = Connected(streams, [Connection({"a": "body", "b": "body"}, unit), Connection({"a": "last", "b": "last"}, unit)])
    groups = groups_of(net, toys.options())
    ids = [id(p) for g in groups for p in g.parameters]
    assert len(ids) == len(set(ids)) == len(list(net.parameters()))
    assert sum(p.numel() for g in groups for p in g.parameters) == sum(p.numel() for p in one.parameters()) + 5 + 4


class Learned(Weighting):
    def __init__(self):
        super().__init__(["a", "b"])
        self.scales = nn.Parameter(torch.zeros(2))

    def forward(self, losses):
        return sum(losses.values())

    def weights(self):
        return {}


def test_a_weighting_learns_in_a_group_of_its_own_and_never_decays():
    group = groups_of(toys.network(), toys.options(weight_decay=0.1), weighting=Learned())[-1]
    assert (group.label, group.multiplier, group.decay, len(group.parameters)) == ("weighting", 1.0, 0.0, 1)


def test_summary_says_the_connections_rate():
    text = describe(groups_of(toys.network(), toys.options(connection_lr=None)))
    assert "Mix connections: lr x100 (4 parameters)" in text.splitlines()


@pytest.mark.parametrize("at", [0, 1, 1000, 19999, 20000])
def test_poly_is_the_papers(at):
    assert poly(5, total=20001)(at) == pytest.approx((1 - at / 20001) ** 0.9, rel=1e-12)


def test_other_schedules():
    assert [step(9, every=3, factor=0.1)(s) for s in (0, 2, 3, 6)] == pytest.approx([1, 1, 0.1, 0.01])
    assert [cosine(4)(s) for s in (0, 2, 4)] == pytest.approx([1, 0.5, 0], abs=1e-12)
    assert [constant(9, warm_up=4)(s) for s in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]
    assert poly(4)(3) == pytest.approx(0.25**0.9)
    assert poly(9, total=3)(5) == 0.0


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_ratios_hold_after_1000_steps_of_every_schedule(schedule):
    options = toys.options(connection_lr=None, last_layer_lr=10, bias_lr=20)
    optimizer = make_optimizer(groups_of(toys.network(), options), options)
    factor = schedule(2000)
    for number in range(1000):
        set_rates(optimizer, factor(number))
        optimizer.step()
    now = rates(optimizer)
    ratios = {label: rate / now["streams"] for label, rate in now.items()}
    assert ratios == pytest.approx({"streams": 1, "heads": 10, "biases of heads": 20, "Mix connections": 100}, rel=1e-12)
    expected = {"constant": 1, "poly": (1 - 999 / 20001) ** 0.9, "step": 0.125, "cosine": 0.9047}[schedule.name]
    assert now["streams"] == pytest.approx(0.01 * expected, rel=1e-3)


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_ratios_hold_after_resume(tmp_path, schedule):
    changes = {"connection_lr": None, "last_layer_lr": 10, "bias_lr": 20, "log_every": 1, "clip": 1e-3}
    options = toys.options(steps=6, schedule=schedule.dump(), **changes)
    for stop in (toys.StopAfter(4), None):
        fit(toys.network(), toys.TASKS, toys.ToySamples(), options, folder=tmp_path, seed=0, stop=stop)
    header, *rows = [line.split(",") for line in (tmp_path / "log.csv").read_text().splitlines()]
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    for number, row in enumerate(rows):
        lr = {name: float(value) for name, value in zip(header, row, strict=True) if name.startswith("lr.")}
        base = 0.01 * schedule(6)(number)
        expected = {"lr.streams": base, "lr.heads": 10 * base, "lr.biases of heads": 20 * base}
        assert lr == pytest.approx({**expected, "lr.Mix connections": 100 * base}, rel=1e-9)
