"""Connect streams at chosen stages: units built from the shapes found there, everything checked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException

from taskweave.features import FeatureShape
from taskweave.streams.stream import Memory, Stream, dry_copy, dry_mode, evaluating, is_meta, like_parameters
from taskweave.units.unit import Identity, Unit
from taskweave.weaving.connected import Connected
from taskweave.weaving.plan import Connection, Meet, Place, Run, check_order, make_plan, meet, require_streams, run_stage

UnitFactory = Callable[[list[FeatureShape]], Unit]
"""A unit class, a `Part` of one, or any function of the shapes that meet."""

_UNKNOWN = (DataDependentOutputException, DynamicOutputShapeException, NotImplementedError)
"""What fake tensors raise where a shape depends on data: how many boxes a detector finds."""


def connect(
    streams: Mapping[str, Stream],
    at: Sequence[str | Place],
    unit: UnitFactory | Unit,
    *,
    example: Any,
    gather: Sequence[UnitFactory] = (),
    prove: bool = True,
) -> Connected:
    """Connect streams with a new unit wherever they are to meet.

    Args:
        streams: By name; see `as_stream`.
        at: Where they meet: stage names (the same stage in every stream) or {stream: stage}, in the order of the network.
        unit: A unit class, or `part(...)` or functools.partial of one, called with the list of FeatureShape that meet; or
            one unit object, which then serves every connection (shared parameters).
        example: One input for all streams, or {stream: input}; only its shape matters for building.
        gather: Units called once per stream with the shapes of all its stages of `at`; each gathers the fused features of
            that stream at the last of them (`Shortcut`, `LayerMixing`).
        prove: Run every stream once and refuse one that does not equal its network exactly (skipped on the meta device).

    Raises:
        ValueError: A stream or stage is unknown (what there is is listed), a connection goes backwards, a stream is not its
            network, or a unit or a later layer refuses a shape.
        TypeError: A value of `streams` is not a Stream; use `as_stream(net)`.
    """
    require_streams(streams)
    if isinstance(at, str | Mapping):
        raise ValueError(f"at is a list of places, got {at!r}; write at=[{at!r}]")
    inputs = _inputs(streams, example)
    places: list[Place] = [dict.fromkeys(streams, place) if isinstance(place, str) else place for place in at]
    if prove:
        for name, stream in streams.items():
            if not is_meta(stream.net):
                stream.prove(inputs[name])
    check_order(streams, _empty(places), None)
    meetings = [(place, unit) for place in places] + _gatherings(streams, places, gather)
    plan = make_plan(streams, _empty([place for place, _ in meetings]), None, list(streams))
    walk = _Walk(streams, inputs)
    last = max((i for i, step in enumerate(plan.steps, 1) if isinstance(step, Meet)), default=0)
    for step in plan.steps[:last]:
        if isinstance(step, Meet):
            walk.meet(step, *meetings[step.index])
        elif isinstance(step, Run):
            walk.run(step)
    connected = Connected(streams, walk.connections)
    walk.finish([step for step in plan.steps[last:] if isinstance(step, Run)], plan.exits)
    return connected


def _inputs(streams: Mapping[str, Stream], example: Any) -> Mapping[str, Any]:
    if not isinstance(example, Mapping):
        return dict.fromkeys(streams, example)
    missing = [name for name in streams if name not in example]
    if missing:
        raise ValueError(f"connect needs an example for the streams {missing}; example has {list(example)}")
    return example


def _gatherings(
    streams: Mapping[str, Stream], places: Sequence[Place], gather: Sequence[UnitFactory]
) -> list[tuple[Place, UnitFactory | Unit]]:
    """For each unit that gathers, and each stream, the stages at which the stream meets others."""
    met = {name: [place[name] for place in places if name in place] for name in streams}
    stages = {name: tuple(s if isinstance(s, str) else s[-1] for s in own) for name, own in met.items() if own}
    return [({name: own}, factory) for factory in gather for name, own in stages.items()]


def _empty(places: Sequence[Place]) -> list[Connection]:
    """Connections that change nothing, to order the steps before any unit is built."""
    return [Connection(place, Identity([])) for place in places]


class _Walk:
    """The steps of a network on fake tensors, a unit built wherever streams meet."""

    def __init__(self, streams: Mapping[str, Stream], inputs: Mapping[str, Any]) -> None:
        self.connections: list[Connection] = []
        self.memory: dict[str, Memory] = {name: {} for name in streams}
        self.mode = dry_mode(next(iter(streams.values())))
        self.streams = {name: dry_copy(stream, self.mode) for name, stream in streams.items()}
        with self._dry():
            self.x: dict[str, Tensor] = {
                name: s.enter(s.net, like_parameters(inputs[name], s.net), self.memory[name])
                for name, s in self.streams.items()
            }

    def run(self, step: Run) -> None:
        self._go_on(step.name, lambda stream: run_stage(step, stream, self.x, self.memory))

    def meet(self, step: Meet, place: Place, unit: UnitFactory | Unit) -> None:
        like = Connection(place, Identity([]))
        shapes = [
            replace(self.streams[name].shape_of(feature), stream=name)
            for name in place
            for feature in like.gathered(name, self.memory[name])
        ]
        connection = Connection(place, self._built(unit, shapes, place))
        with self._dry(connection):
            meet(step, connection, self.x, self.memory)
        self.connections.append(connection)

    def finish(self, rest: Sequence[Run], exits: Collection[str]) -> None:
        """Run to the end, so that a layer after a unit which cannot take its channels is named now."""
        for name in exits:
            try:
                for step in rest:
                    if step.name == name:
                        self.run(step)
                self._go_on(name, partial(self._leave, name))
            except _UNKNOWN:
                continue

    def _leave(self, name: str, stream: Stream) -> object:
        return stream.exit(stream.net, self.memory[name])

    def _go_on(self, name: str, act: Callable[[Stream], object]) -> None:
        """Let a stream do something, and say what stopped it if units have touched it before."""
        try:
            with self._dry():
                act(self.streams[name])
        except _UNKNOWN:
            raise
        except (RuntimeError, ValueError) as error:
            if not any(name in connection.at for connection in self.connections):
                raise  # no unit has touched it: the input does not fit its network
            raise ValueError(
                f"after its connections stream {name!r} cannot go on: {error}. "
                "A unit that changes channels needs a next layer that takes them"
            ) from error

    def _built(self, unit: UnitFactory | Unit, shapes: list[FeatureShape], place: Place) -> Unit:
        if isinstance(unit, Unit):
            return unit
        with torch.device("meta") if is_meta(next(iter(self.streams.values()))) else ExitStack():
            try:
                built = unit(shapes)
            except ValueError as error:
                raise ValueError(f"connection {len(self.connections)} at {dict(place)}: {error}") from error
        like = next(self.streams[next(iter(place))].parameters(), None)
        return built if like is None or like.is_meta else built.to(like.device, like.dtype)

    def _dry(self, *more: Connection) -> ExitStack:
        stack = ExitStack()
        for connection in more:
            stack.enter_context(evaluating(connection))
        stack.enter_context(torch.no_grad())
        stack.enter_context(self.mode)
        return stack
