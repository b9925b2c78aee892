"""Every unit against the unit contract, and every assertion of that contract shown to fail."""

from collections.abc import Callable, Collection, Mapping
from functools import partial

import pytest
import torch
from contracts.unit_contract import (
    Shapes,
    UnitCase,
    assert_builds_without_memory,
    assert_every_parameter_learns,
    assert_keeps_precision,
    assert_list_in_list_out,
    assert_maps_and_tokens_agree,
    assert_parameter_count,
    assert_refuses,
    assert_refuses_what_it_cannot,
    assert_relabelling,
    assert_some_agree_with_all,
    assert_start,
    maps,
    mixed,
    tokens,
)
from torch import Tensor, nn

from taskweave.units import (
    NDDR,
    Attention,
    CommonStitch,
    CrossConnection,
    CrossStitch,
    CrossTalk,
    Identity,
    LayerMixing,
    ScaleLayer,
    Shortcut,
    Sluice,
)
from taskweave.units.unit import Unit


def nddr(c):
    return sum(c) ** 2


def links(c):
    return [(s, t) for i, s in enumerate(c) for j, t in enumerate(c) if i != j]


def convolutions(c):
    return sum(s * t + t for s, t in links(c))


CASES = [
    UnitCase("identity", Identity, lambda c: 0, channels=True, sizes=True, anything=True),
    UnitCase("stitch", CrossStitch, lambda c: len(c) ** 2 * c[0], channels=False, sizes=False),
    UnitCase(
        "stitch (1, 0)", partial(CrossStitch, self_weight=1.0), lambda c: len(c) ** 2 * c[0], channels=False, sizes=False
    ),
    UnitCase("stitch per layer", partial(CrossStitch, per="layer"), lambda c: len(c) ** 2, channels=False, sizes=False),
    UnitCase("one mixture for all", CommonStitch, len, channels=False, sizes=False),
    UnitCase("scales", ScaleLayer, lambda c: len(c) * (len(c) - 1) * c[0], channels=False, sizes=False),
    UnitCase(
        "scales from 0",
        partial(ScaleLayer, other_weight=0.0),
        lambda c: len(c) * (len(c) - 1) * c[0],
        channels=False,
        sizes=False,
    ),
    UnitCase("nddr", NDDR, lambda c: nddr(c) + 2 * sum(c), channels=True, sizes=True),
    UnitCase("nddr paper", partial(NDDR, order="paper"), lambda c: nddr(c) + 2 * sum(c), channels=True, sizes=True),
    UnitCase("nddr none", partial(NDDR, order="none"), nddr, channels=True, sizes=True),
    UnitCase("nddr none (1, 0)", partial(NDDR, order="none", self_weight=1.0), nddr, channels=True, sizes=True),
    UnitCase("cross-connection", CrossConnection, convolutions, channels=True, sizes=True),
    UnitCase("cross-connection linear", partial(CrossConnection, linear=True), convolutions, channels=True, sizes=True),
    UnitCase(
        "cross-connection gated",
        partial(CrossConnection, gate=True),
        lambda c: convolutions(c) + sum(t for _, t in links(c)),
        channels=True,
        sizes=True,
    ),
    UnitCase("sluice", Sluice, lambda c: (2 * len(c)) ** 2, channels=False, sizes=False),
    UnitCase("sluice (1, 0)", partial(Sluice, self_weight=1.0), lambda c: (2 * len(c)) ** 2, channels=False, sizes=False),
    UnitCase(
        "sluice balanced", partial(Sluice, initial="balanced"), lambda c: 4 * len(c) ** 2, channels=False, sizes=False
    ),
    UnitCase("layer mixing", LayerMixing, len, channels=False, sizes=True, gathers=True),
    UnitCase(
        "layer mixing last only", partial(LayerMixing, last_weight=1.0), len, channels=False, sizes=True, gathers=True
    ),
    UnitCase(
        "layer mixing projected",
        partial(LayerMixing, project=True),
        lambda c: len(c) + sum(s * c[-1] for s in c if s != c[-1]),
        channels=True,
        sizes=True,
        gathers=True,
    ),
    UnitCase("shortcut", partial(Shortcut, channels=5), lambda c: 5 * sum(c) + 10, channels=True, sizes=True, gathers=True),
    UnitCase("attention", Attention, lambda c: 9 * sum(c) * c[-1] + 4 * c[-1], channels=True, sizes=True, gathers=True),
    UnitCase(
        "attention per pixel, norm after",
        partial(Attention, hidden=5, kernel_size=1, norm="after", per="pixel"),
        lambda c: 5 * sum(c[:-1]) + 15 + 5 + 3,
        channels=True,
        sizes=True,
        gathers=True,
    ),
    UnitCase("cross-talk", CrossTalk, lambda c: 0, channels=True, sizes=True, widens=True),
]
every_unit = pytest.mark.parametrize("case", CASES, ids=str)
meeting_units = pytest.mark.parametrize("case", [case for case in CASES if not case.gathers], ids=str)
two_and_three = pytest.mark.parametrize("count", [2, 3])


@every_unit
@two_and_three
def test_list_in_list_out(case: UnitCase, count: int) -> None:
    assert_list_in_list_out(case, maps(count))
    assert_list_in_list_out(case, tokens(count))
    assert_list_in_list_out(case, mixed(count, channels=case.channels, sizes=case.sizes))


@every_unit
@two_and_three
def test_maps_and_tokens_agree(case: UnitCase, count: int) -> None:
    assert_maps_and_tokens_agree(case, count)


@meeting_units
@two_and_three
def test_relabelling(case: UnitCase, count: int) -> None:
    assert_relabelling(case, count)


@every_unit
@two_and_three
def test_start(case: UnitCase, count: int) -> None:
    assert_start(case, count)


@every_unit
@two_and_three
def test_every_parameter_learns(case: UnitCase, count: int) -> None:
    assert_every_parameter_learns(case, maps(count))
    assert_every_parameter_learns(case, mixed(count, channels=case.channels, sizes=case.sizes))


@every_unit
@two_and_three
def test_parameter_count(case: UnitCase, count: int) -> None:
    assert_parameter_count(case, maps(count))
    assert_parameter_count(case, mixed(count, channels=case.channels, sizes=False))


@meeting_units
def test_some_agree_with_all(case: UnitCase) -> None:
    assert_some_agree_with_all(case, 3)


@every_unit
def test_refuses_what_it_cannot(case: UnitCase) -> None:
    assert_refuses_what_it_cannot(case)


@every_unit
def test_builds_without_memory(case: UnitCase) -> None:
    assert_builds_without_memory(case)


@every_unit
def test_keeps_precision(case: UnitCase) -> None:
    assert_keeps_precision(case)


def test_only_cross_stitch_and_nddr_learn_a_hundred_times_faster_under_sgd() -> None:
    """A unit that is new here says what its authors use; this list then has one line more."""
    theirs = {CrossStitch: 100.0, NDDR: 100.0}
    units = {type(case.build(maps(2))) for case in CASES}
    assert {unit: unit.sgd_lr_multiplier for unit in units} == {unit: theirs.get(unit, 1.0) for unit in units}


# Every assertion fails on a unit that breaks its promise.


class Broken(Unit):
    """Two scalars, one of which does nothing, and whatever `how` does to the features."""

    def __init__(self, shapes: Shapes, *, how: Callable[[list[Tensor]], list[Tensor]] = list, exact: bool = False) -> None:
        super().__init__(shapes)
        self.how, self.exact = how, exact
        self.factor, self.silent = nn.Parameter(torch.ones(())), nn.Parameter(torch.ones(()))

    @property
    def exact_start(self) -> bool:
        return self.exact

    def sources(self, target: int) -> frozenset[int]:
        return frozenset((0,))

    def forward_some(self, features: Mapping[int, Tensor], targets: Collection[int]) -> dict[int, Tensor]:
        return dict.fromkeys(targets, features[0])

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return self.how([self.factor * x for x in features])


def broken(how: Callable[[list[Tensor]], list[Tensor]] = list, *, exact: bool = False) -> UnitCase:
    return UnitCase("broken", partial(Broken, how=how, exact=exact), lambda c: 3, channels=False, sizes=False)


class InPlace(Broken):
    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return [x.add_(1) for x in features]


class RaisesPrecision(Broken):
    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return [x.float() for x in features]


class NeedsMemory(Broken):
    def __init__(self, shapes: Shapes) -> None:
        super().__init__(shapes)
        self.factor = nn.Parameter(torch.ones((), device="cpu"))


FAILURES = {
    "one feature out": lambda: assert_list_in_list_out(broken(lambda xs: xs[:1]), maps(2)),
    "a tuple out": lambda: assert_list_in_list_out(broken(lambda xs: tuple(xs)), maps(2)),  # type: ignore[arg-type, return-value]
    "channels not widened": lambda: assert_list_in_list_out(
        UnitCase("", Identity, len, channels=True, sizes=True, widens=True), maps(2)
    ),
    "another extent out": lambda: assert_list_in_list_out(broken(lambda xs: [x[..., 1:] for x in xs]), maps(2)),
    "other channels out": lambda: assert_list_in_list_out(broken(lambda xs: [x[:, 1:] for x in xs]), maps(2)),
    "inputs changed": lambda: assert_list_in_list_out(UnitCase("", InPlace, len, channels=True, sizes=True), maps(2)),
    "tokens read as maps": lambda: assert_maps_and_tokens_agree(
        broken(lambda xs: [x * torch.arange(x.shape[1])[:, None] if x.ndim == 3 else x for x in xs]), 2
    ),
    "first stream preferred": lambda: assert_relabelling(broken(lambda xs: [xs[0]] * len(xs)), 2),
    "exact claimed": lambda: assert_start(broken(lambda xs: [1.001 * x for x in xs], exact=True), 2),
    "exact not claimed": lambda: assert_start(broken(), 2),
    "a silent parameter": lambda: assert_every_parameter_learns(broken(), maps(2)),
    "another count": lambda: assert_parameter_count(broken(), maps(2)),
    "some differ from all": lambda: assert_some_agree_with_all(broken(), 2),
    "nothing refused": lambda: assert_refuses_what_it_cannot(broken()),
    "another message": lambda: assert_refuses(CrossStitch, mixed(2, channels=True, sizes=False), "use a hammer"),
    "memory needed": lambda: assert_builds_without_memory(UnitCase("", NeedsMemory, len, channels=True, sizes=True)),
    "precision raised": lambda: assert_keeps_precision(UnitCase("", RaisesPrecision, len, channels=True, sizes=True)),
}


@pytest.mark.parametrize("broken_promise", FAILURES.values(), ids=FAILURES)
def test_assertions_can_fail(broken_promise: Callable[[], None]) -> None:
    with pytest.raises(AssertionError):
        broken_promise()
