"""Every public optimiser, schedule and weighting is a part: a call that a recipe can write down."""

import json
import pickle

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

import taskweave.experiments.rooms  # noqa: F401 - so that short names of parts are known
from taskweave.parts import KINDS, Part, known, part, read
from taskweave.training import Schedule, adam, adamw, sgd, step
from taskweave.weighting import Fixed, LossGate, Weighting

NEEDED = {step: {"every": 3}, LossGate: {"below": {"a": 0.1}, "weighting": part(Fixed)}}
"""Options without a default."""
PARTS = [(kind, name, call) for kind in (Optimizer, Schedule, Weighting) for name, call in known(kind).items()]
every_part = pytest.mark.parametrize(("kind", "name", "call"), PARTS, ids=[name for _, name, _ in PARTS])


def test_all_of_them_are_here() -> None:
    assert list(known(Optimizer)) == ["adam", "adamw", "sgd"]
    assert list(known(Schedule)) == ["constant", "cosine", "poly", "step"]
    assert list(known(Weighting)) == [
        "dynamic_weight_average", "fixed", "geometric_mean", "gradient_aggregation", "loss_gate", "uncertainty",
        "variance_ratio",
    ]  # fmt: skip


@every_part
def test_it_is_written_down_and_read_back_the_same(kind: type, name: str, call: object) -> None:
    it = Part(call, NEEDED.get(call, {}))
    assert it.name == it.use == name
    assert read(json.loads(json.dumps(it.dump())), kind) == it == pickle.loads(pickle.dumps(it))
    assert set(it.identity()) == {"use", *NEEDED.get(call, {})}, "options at their default are no part of an identity"


@every_part
def test_it_takes_what_its_kind_is_given_and_no_more(kind: type, name: str, call: object) -> None:
    given = {
        Optimizer: [{"params": [nn.Parameter(torch.zeros(2))]}],
        Schedule: 10,
        Weighting: {"a": Regression(), "b": Regression()},
    }[kind]
    made = Part(call, NEEDED.get(call, {}))(given)
    assert isinstance(made, kind) and KINDS[kind].given == ({Optimizer: "groups", Schedule: "steps"}.get(kind, "tasks"),)


class Regression:
    regression = True


def test_units_have_rates_of_their_own_under_sgd_alone() -> None:
    assert [part(one).fact("scales_units", default=False) for one in (sgd, adam, adamw)] == [True, False, False]


@pytest.mark.parametrize(
    ("kind", "given", "match"),
    [
        (Optimizer, {"use": "sgd", "lr": 0}, "sgd.lr: input should be greater than 0, got 0"),
        (Optimizer, {"use": "sgd", "lr": "fast"}, "sgd.lr: .*valid number.*got 'fast'"),
        (Optimizer, {"use": "sgd", "lr": float("inf")}, "sgd.lr: .*finite"),
        (Optimizer, {"use": "sgd", "momentum": 1}, "sgd.momentum: input should be less than 1, got 1"),
        (Optimizer, {"use": "sgd", "momentum": 0, "nesterov": True}, "nesterov needs momentum above 0"),
        (Optimizer, {"use": "adm"}, "unknown optimizer 'adm', did you mean 'adam'. There is: adam, adamw, sgd"),
        (Optimizer, {"use": "adam", "momentum": 0.9}, "unknown option 'momentum' of adam"),
        (Schedule, {"use": "step"}, "step needs 'every'"),
        (Schedule, {"use": "step", "every": 1, "factor": 1.5}, "step.factor: input should be less than or equal to 1"),
        (Schedule, {"use": "poly", "total": 0}, "poly.total: input should be greater than or equal to 1"),
        (Schedule, {"use": "poly", "warm_up": -1}, "poly.warm_up: input should be greater than or equal to 0"),
        (Weighting, {"use": "fixed", "weights": {"a": 0}}, "Fixed.weights.a: input should be greater than 0"),
        (Weighting, {"use": "uncertainty", "initial": 11}, "initial=11"),
        (Weighting, {"use": "uncertainty", "largest": 80}, "Uncertainty.largest: input should be less than 80"),
        (Weighting, {"use": "variance_ratio", "window": 1, "variance_of": "epochs"}, "window of 2 or more"),
        (Weighting, {"use": "variance_ratio", "floor": 1}, "VarianceRatio.floor: input should be less than 1"),
        (Weighting, {"use": "gradient_aggregation", "cagrad_c": 1}, "cagrad_c: input should be less than 1"),
        (Weighting, {"use": "gradient_aggregation", "aggregator": "upgrat"}, "aggregator: .*'upgrad'.*got 'upgrat'"),
        (Weighting, {"use": "loss_gate", "below": {}}, "LossGate needs 'weighting'"),
        (
            Weighting,
            {"use": "loss_gate", "below": {}, "weighting": "gradient_aggregation"},
            "LossGate drops losses from a weighted sum, GradientAggregation combines gradients and drops no losses",
        ),
    ],
)
def test_what_is_refused_names_what_was_given(kind: type, given: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        read(given, kind)


def test_numbers_may_be_text_as_yaml_reads_5e_4() -> None:
    assert read({"use": "sgd", "lr": "5e-4"}, Optimizer).options["lr"] == 5e-4
    assert read({"use": "fixed", "weights": {"a": "1e-1"}}, Weighting).options["weights"] == {"a": 0.1}


def test_titles() -> None:
    titles = {name: Part(call, NEEDED.get(call, {})).fact("title") for kind, name, call in PARTS if kind is Weighting}
    assert titles == {
        "dynamic_weight_average": "DWA",
        "fixed": "weights 1",
        "geometric_mean": "geometric mean",
        "gradient_aggregation": "UPGrad",
        "loss_gate": "weights 1",
        "uncertainty": "uncertainty",
        "variance_ratio": "eq. 5",
    }
