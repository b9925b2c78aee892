"""What runs, and in which order: no more than the wanted outputs hang on; and what may not be ordered so."""

from functools import partial

import pytest
import torch
from networks.toys import Last, Sum, Swap, X, counted, plain

import taskweave as tw
from taskweave.weaving.plan import Fork, Meet, Run

SHAPES = [tw.FeatureShape.image(4, 5, 4)] * 2
THREE = [tw.FeatureShape.image(4, 5, 4)] * 3


def at(names: str, stage: str) -> dict[str, str]:
    return dict.fromkeys(names, stage)


def ran(net: tw.Connected, log: list[str], *tasks: str) -> list[str]:
    """The stages that run for some outputs, after a check that the outputs are those of a whole run."""
    whole = net(X)
    log.clear()
    part = net(X, tasks=tasks)
    assert list(part) == [name for name in net.streams if name in tasks]
    for name in tasks:
        assert torch.equal(part[name], whole[name])
    return log


def test_without_connections_only_the_wanted_stream_runs() -> None:
    streams, log = counted("ab")
    assert ran(tw.Connected(streams), log, "b") == ["b.s1", "b.s2", "b.s3"]


def test_a_unit_that_mixes_all_asks_for_all_until_it() -> None:
    streams, log = counted("ab")
    net = tw.Connected(streams, [tw.Connection(at("ab", "s2"), Swap(SHAPES))])
    assert ran(net, log, "a") == ["a.s1", "a.s2", "b.s1", "b.s2", "a.s3"]


def test_a_directed_unit_asks_for_what_it_reads() -> None:
    streams, log = counted("ab")
    net = tw.Connected(streams, [tw.Connection(at("ab", "s1"), Sum(SHAPES, reads={0: (1,)}))])
    assert ran(net, log, "b") == ["b.s1", "b.s2", "b.s3"]
    assert ran(net, log, "a") == ["a.s1", "b.s1", "a.s2", "a.s3"]


def test_a_unit_computes_only_the_wanted_outputs() -> None:
    class Asked(Sum):
        def forward_some(self, features, targets):
            asked.append((sorted(features), list(targets)))
            return super().forward_some(features, targets)

    asked: list[tuple[list[int], list[int]]] = []
    unit = Asked(THREE, reads={0: (1, 2), 1: (2,)})
    net = tw.Connected(plain("abc"), [tw.Connection(at("abc", "s1"), unit)])
    for task in "abc":
        net(X, tasks=(task,))
    assert asked == [([0, 1, 2], [0]), ([1, 2], [1]), ([2], [2])]


def test_directions_are_followed_back_through_several_connections() -> None:
    """a reads b at s2, b reads c at s1: a hangs on c's s1, though a and c never meet. c alone hangs on nobody."""
    streams, log = counted("abc")
    b_reads_c, a_reads_b = Sum(THREE, reads={1: (2,)}), Sum(THREE, reads={0: (1,)})
    net = tw.Connected(streams, [tw.Connection(at("abc", "s1"), b_reads_c), tw.Connection(at("abc", "s2"), a_reads_b)])
    assert sorted(ran(net, log, "a")) == ["a.s1", "a.s2", "a.s3", "b.s1", "b.s2", "c.s1"]
    assert sorted(ran(net, log, "b")) == ["b.s1", "b.s2", "b.s3", "c.s1"]
    assert ran(net, log, "c") == ["c.s1", "c.s2", "c.s3"]
    assert sorted(ran(net, log, "a", "c")) == ["a.s1", "a.s2", "a.s3", "b.s1", "b.s2", "c.s1", "c.s2", "c.s3"]


def test_the_reverse_order_of_connections_carries_less() -> None:
    """a reads b at s1, b reads c at s2: what b gets from c comes too late for a."""
    streams, log = counted("abc")
    a_reads_b, b_reads_c = Sum(THREE, reads={0: (1,)}), Sum(THREE, reads={1: (2,)})
    net = tw.Connected(streams, [tw.Connection(at("abc", "s1"), a_reads_b), tw.Connection(at("abc", "s2"), b_reads_c)])
    assert sorted(ran(net, log, "a")) == ["a.s1", "a.s2", "a.s3", "b.s1"]


def test_streams_that_meet_at_different_depths() -> None:
    streams, log = counted("ab")
    net = tw.Connected(streams, [tw.Connection({"a": "s1", "b": "s3"}, Swap(SHAPES))])
    assert ran(net, log, "b") == ["a.s1", "b.s1", "b.s2", "b.s3"]


def test_a_trunk_runs_once_and_also_for_others_alone() -> None:
    streams, log = counted("abc")
    net = tw.Connected(streams, trunk="s2")
    log.clear()
    net(X)
    assert log == ["a.s1", "a.s2", "a.s3", "b.s3", "c.s3"]
    assert ran(net, log, "c") == ["a.s1", "a.s2", "c.s3"]


def test_connections_after_a_trunk() -> None:
    streams, log = counted("abc", (4, 4, 4, 4))
    net = tw.Connected(streams, [tw.Connection(at("bc", "s3"), Sum(SHAPES, reads={0: (1,)}))], trunk="s1")
    assert ran(net, log, "b") == ["a.s1", "b.s2", "b.s3", "c.s2", "c.s3", "b.s4"]
    assert ran(net, log, "c") == ["a.s1", "c.s2", "c.s3", "c.s4"]


def test_a_gathering_of_one_stream_concerns_it_alone() -> None:
    streams, log = counted("ab")
    gathers = [tw.Connection({name: ("s1", "s2")}, Last([])) for name in "ab"]
    net = tw.Connected(streams, gathers)
    assert ran(net, log, "b") == ["b.s1", "b.s2", "b.s3"]


def test_a_plan_can_be_read() -> None:
    net = tw.Connected(plain("ab", (4, 4)), [tw.Connection(at("ab", "s1"), Sum(SHAPES, reads={0: (1,)}))])
    plan = net.plan(("a",))
    assert plan.enters == ("a", "b") and plan.exits == ("a",)
    assert plan.steps == (Run("a", "s1"), Run("b", "s1"), Meet(0, (0, 1), (0,)), Run("a", "s2"))
    shared = tw.Connected(plain("ab", (4, 4)), trunk="s1").plan(("b",))
    assert shared.enters == ("a",) and shared.steps == (Run("a", "s1"), Fork("a", ("b",)), Run("b", "s2"))


def test_an_unknown_output_lists_the_streams() -> None:
    with pytest.raises(ValueError, match=r"there is no stream 'depth'; the streams are \['a', 'b'\]"):
        tw.Connected(plain("ab"))(X, tasks=("depth",))


ORDER = r"\['s1', 's2', 's3'\]"
REFUSED = {
    "stream": ([at("ax", "s1")], r"connection 0 names stream 'x'; the streams are \['a', 'b'\]"),
    "stage": (
        [at("ab", "s1"), {"a": "s2", "b": "pool9"}],
        rf"connection 1: stream 'b' has no stage 'pool9'; its stages are {ORDER}",
    ),
    "backwards": (
        [at("ab", "s2"), {"a": "s3", "b": "s1"}],
        r"connection 1 meets 'b' at 's1', which it has already passed: it was at 's2' before; "
        rf"its stages in order are {ORDER}",
    ),
    "twice at one stage": ([at("ab", "s1"), at("ab", "s1")], "connection 1 meets 'a' at 's1', which it has already passed"),
    "gathers backwards": ([{"a": "s3"}, {"a": ("s1", "s2")}], "connection 1 meets 'a' at 's2', which it has already"),
    "gathers in disorder": ([{"a": ("s2", "s1")}], r"connection 0 gathers \('s2', 's1'\) of 'a'; name each once, in the"),
    "gathers what comes later": ([{"a": ("s3", "s1")}], f"name each once, in the order in which they run: {ORDER}"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("by_hand", [True, False], ids=["Connected", "connect"])
def test_orders_that_cannot_be(name: str, by_hand: bool) -> None:
    places, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        if by_hand:
            tw.Connected(plain("ab"), [tw.Connection(place, Swap(SHAPES)) for place in places])
        else:
            tw.connect(plain("ab"), places, partial(Sum), example=X)


def test_a_gathering_may_follow_a_meeting_at_its_last_stage() -> None:
    tw.Connected(plain("ab"), [tw.Connection(at("ab", "s2"), Swap(SHAPES)), tw.Connection({"a": ("s1", "s2")}, Last([]))])


def test_trunks_that_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"the shared trunk: stream 'a' has no stage 'layer1'; its stages are \['s1'"):
        tw.Connected(plain("ab"), trunk="layer1")
    with pytest.raises(ValueError, match=r"connection 0 meets 'a' at 's1', which it has already passed: it was at 's2'"):
        tw.Connected(plain("ab"), [tw.Connection(at("ab", "s1"), Swap(SHAPES))], trunk="s2")


def test_connections_without_places() -> None:
    with pytest.raises(ValueError, match=r"at least one \{stream: stage\}, got none"):
        tw.Connection({}, Swap([]))
    with pytest.raises(ValueError, match=r"gathers at least one stage of each stream, got none of \['b'\]"):
        tw.Connection({"a": "s1", "b": ()}, Swap([]))
