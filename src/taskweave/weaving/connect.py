"""From streams and places to a connected network: units built from the shapes found there, everything checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException

from taskweave.features import FeatureShape
from taskweave.images import IMAGENET, ImageStatistics
from taskweave.streams.stream import Memory, Stream, dry_copy, dry_mode, evaluating, is_meta, like_parameters
from taskweave.units.identity import Identity
from taskweave.units.unit import Unit
from taskweave.weaving import start
from taskweave.weaving.connected import Connected, Decoder
from taskweave.weaving.connection import Connection, Place
from taskweave.weaving.plan import check_order, require_streams

UnitFactory = Callable[[list[FeatureShape]], Unit]


def connect(
    streams: Mapping[str, Stream],
    at: Sequence[str | Place],
    unit: UnitFactory | Unit,
    *,
    example: Any,
    gather: Sequence[UnitFactory] = (),
    tasks: Mapping[str, Decoder] | None = None,
    statistics: ImageStatistics = IMAGENET,
    prove: bool = True,
    check_start: bool = False,
) -> Connected:
    """Connect streams with a new unit at every place.

    streams: by name; see `as_stream`.
    at: stage names (the same stage in every stream) or {stream: stage}, in the order of the network.
    unit: a unit class (or functools.partial of one), called with the list of FeatureShape that meet at a place; or one
        unit object, which then serves every place (shared parameters).
    example: one input for all streams, or {stream: input}; only its shape matters for building.
    gather: unit factories, called once per stream with the shapes of all its places; each gathers the fused features of
        that stream at its last place (`Shortcut`, `LayerMixing`).
    prove: run every stream once and refuse one that does not equal its network exactly (skipped on the meta device).
    check_start: run `example` through the connected and the single networks and keep the largest difference of every
        stream's output, in eval and in train mode, as ``connected.start``; see `taskweave.check_start`.
    Raises ValueError for an unknown stream or stage (listing what there is), a connection that goes backwards, a stream
    that is not its network, and shapes that a unit or a later layer refuses; TypeError for what is no Stream.
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
    _check_places(streams, places)
    walk = _Walk(streams, inputs)
    for place in places:
        walk.meet(place, unit)
    for factory in gather:
        for name in streams:
            stages = tuple(_one(place[name]) for place in places if name in place)
            if stages:
                walk.meet({name: stages}, factory)
    connected = Connected(streams, walk.connections, tasks=tasks, statistics=statistics)
    walk.finish()
    if check_start:
        connected.start = start.check_start(connected, example)
    return connected


def _inputs(streams: Mapping[str, Stream], example: Any) -> Mapping[str, Any]:
    if not isinstance(example, Mapping):
        return dict.fromkeys(streams, example)
    missing = [name for name in streams if name not in example]
    if missing:
        raise ValueError(f"connect needs an example for the streams {missing}; example has {list(example)}")
    return example


def _all(stage: str | tuple[str, ...]) -> tuple[str, ...]:
    return (stage,) if isinstance(stage, str) else stage


def _one(stage: str | tuple[str, ...]) -> str:
    return stage if isinstance(stage, str) else stage[-1]


def _check_places(streams: Mapping[str, Stream], places: Sequence[Place]) -> None:
    """The same checks as Connected's, before any unit is built."""
    check_order(streams, [Connection(place, Identity([])) for place in places], None)


class _Walk:
    """Streams walked through on fake tensors, a unit built wherever they meet."""

    def __init__(self, streams: Mapping[str, Stream], inputs: Mapping[str, Any]) -> None:
        self.connections: list[Connection] = []
        self.memory: dict[str, Memory] = {name: {} for name in streams}
        self.ahead = {name: list(stream.stages) for name, stream in streams.items()}
        self.mode = dry_mode(next(iter(streams.values())))
        self.streams = {name: dry_copy(stream, self.mode) for name, stream in streams.items()}
        with self._dry():
            self.x: dict[str, Tensor] = {
                name: s.enter(s.net, like_parameters(inputs[name], s.net), self.memory[name])
                for name, s in self.streams.items()
            }

    def meet(self, place: Place, unit: UnitFactory | Unit) -> None:
        index = len(self.connections)
        names = list(place)
        for name in names:
            self._go_on(name, _one(place[name]))
        shapes = [self.streams[name].shape_of(self.memory[name][stage]) for name in names for stage in _all(place[name])]
        connection = Connection(place, self._built(unit, shapes, index, place))
        features = [f for name in names for f in connection.gathered(name, self.memory[name])]
        with self._dry(connection):
            fused = connection.unit(features)
        for name, feature in zip(names, fused, strict=True):
            self.x[name] = self.memory[name][connection.meets[name]] = feature
        self.connections.append(connection)

    def finish(self) -> None:
        """Run to the end, so that a layer after a unit which cannot take its channels is named now."""
        for name, stream in self.streams.items():
            try:
                self._go_on(name, list(stream.stages)[-1], leave=True)
            except (DataDependentOutputException, DynamicOutputShapeException, NotImplementedError):
                continue  # a detector's boxes: how many there are is not known without data

    def _go_on(self, name: str, last: str, *, leave: bool = False) -> None:
        """Run a stream up to the stage `last`, and with `leave` to its output."""
        stream = self.streams[name]
        try:
            with self._dry():
                self._advance(name, last)
                if leave:
                    stream.exit(stream.net, self.memory[name])
        except (DataDependentOutputException, DynamicOutputShapeException, NotImplementedError):
            raise
        except (RuntimeError, ValueError) as error:
            if not any(name in connection.at for connection in self.connections):
                raise  # no unit has touched it: the input does not fit its network
            raise ValueError(
                f"after its connections stream {name!r} cannot go on: {error}. "
                "A unit that changes channels needs a next layer that takes them"
            ) from error

    def _built(self, unit: UnitFactory | Unit, shapes: list[FeatureShape], index: int, place: Place) -> Unit:
        if isinstance(unit, Unit):
            return unit
        with torch.device("meta") if is_meta(next(iter(self.streams.values()))) else ExitStack():
            try:
                built = unit(shapes)
            except ValueError as error:
                raise ValueError(f"connection {index} at {dict(place)}: {error}") from error
        like = next(self.streams[next(iter(place))].parameters(), None)
        return built if like is None or like.is_meta else built.to(like.device, like.dtype)

    def _advance(self, name: str, last: str) -> None:
        while last in self.ahead[name]:
            stage = self.ahead[name].pop(0)
            self.x[name] = self.memory[name][stage] = self.streams[name].run(stage, self.x[name], self.memory[name])

    def _dry(self, *more: Connection) -> ExitStack:
        stack = ExitStack()
        for connection in more:
            stack.enter_context(evaluating(connection))
        stack.enter_context(torch.no_grad())
        stack.enter_context(self.mode)
        return stack
