"""Where streams meet, in which order they run their stages, and what of that a wanted output needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from torch import Tensor, nn

from taskweave.streams.stream import Memory, Stream
from taskweave.units.unit import Unit

Place = Mapping[str, str | tuple[str, ...]]
"""{stream: stage}. A tuple of stages gathers the features of all of them and meets at the last."""


@final
class Connection(nn.Module):
    """Where streams meet, {stream: stage}, and the unit that exchanges their features there.

    Args:
        at: The stage of each stream that takes part. A tuple of stages gathers several features of a stream (as NDDR's
            shortcut does); the unit's output replaces the last.
        unit: Given one feature per stream (and per gathered stage), in the order of `at`.

    Raises:
        ValueError: No stream takes part, or a stream has no stage.
    """

    def __init__(self, at: Place, unit: Unit) -> None:
        super().__init__()
        if not at:
            raise ValueError("a Connection needs at least one {stream: stage}, got none")
        empty = [name for name, stage in at.items() if not stage]
        if empty:
            raise ValueError(f"a Connection gathers at least one stage of each stream, got none of {empty}")
        self.at: dict[str, str | tuple[str, ...]] = {
            name: stage if isinstance(stage, str) else tuple(stage) for name, stage in at.items()
        }
        self.unit = unit
        self.meets: dict[str, str] = {name: s if isinstance(s, str) else s[-1] for name, s in self.at.items()}
        self.gathers: bool = any(not isinstance(stage, str) for stage in self.at.values())

    def gathered(self, name: str, memory: Memory) -> list[Tensor]:
        """The features that stream `name` brings to this place."""
        stages = self.at[name]
        return [memory[stages]] if isinstance(stages, str) else [memory[stage] for stage in stages]

    def extra_repr(self) -> str:
        return f"at={self.at}"


@final
@dataclass(frozen=True)
class Run:
    """Stream `name` runs `stage`."""

    name: str
    stage: str


@final
@dataclass(frozen=True)
class Fork:
    """Streams `to` continue from all that stream `leader` remembers: the end of a shared trunk."""

    leader: str
    to: tuple[str, ...]


@final
@dataclass(frozen=True)
class Meet:
    """Connection number `index` computes the features of `targets` from those of `sources` (positions in its `at`)."""

    index: int
    sources: tuple[int, ...]
    targets: tuple[int, ...]


@final
@dataclass(frozen=True)
class Plan:
    """Everything one call of a connected network does, in order."""

    enters: tuple[str, ...]
    steps: tuple[Run | Fork | Meet, ...]
    exits: tuple[str, ...]


def make_plan(
    streams: Mapping[str, Stream], connections: Sequence[Connection], trunk: str | None, wanted: Collection[str]
) -> Plan:
    """The fewest stages and connections from which the `wanted` outputs can be computed."""
    meets, needed = _meets(connections, wanted)
    leader = next(iter(streams))
    ahead = {name: list(stream.stages) for name, stream in streams.items()}
    steps: list[Run | Fork | Meet] = []
    if trunk is not None:
        shared = ahead[leader][: ahead[leader].index(trunk) + 1]
        steps += [Run(leader, stage) for stage in shared]
        steps.append(Fork(leader, tuple(name for name in streams if name in needed and name != leader)))
        ahead = {name: stages[len(shared) :] for name, stages in ahead.items()}

    def advance(name: str, last: str) -> None:
        while last in ahead[name]:
            steps.append(Run(name, ahead[name].pop(0)))

    for meet in meets:
        places = list(connections[meet.index].meets.items())
        for position in meet.sources:
            advance(*places[position])
        for position in meet.targets:
            advance(*places[position])
        steps.append(meet)
    for name in streams:
        if name in wanted:
            advance(name, list(streams[name].stages)[-1])
    enters = (leader,) if trunk is not None else tuple(name for name in streams if name in needed)
    return Plan(enters, tuple(steps), tuple(name for name in streams if name in wanted))


def _meets(connections: Sequence[Connection], wanted: Collection[str]) -> tuple[list[Meet], set[str]]:
    """The connections that the wanted outputs hang on, and every stream that takes part."""
    needed = set(wanted)
    meets: list[Meet] = []
    for index in reversed(range(len(connections))):
        connection = connections[index]
        names = list(connection.at)
        targets = tuple(j for j, name in enumerate(names) if name in needed)
        if not targets:
            continue
        everything = connection.gathers or len(targets) == len(names)
        reached = range(len(names)) if everything else {s for t in targets for s in connection.unit.sources(t)}
        sources = tuple(sorted(reached))
        needed |= {names[j] for j in sources}
        meets.append(Meet(index, sources, targets))
    return meets[::-1], needed


def run_stage(step: Run, stream: Stream, x: dict[str, Tensor], memory: dict[str, Memory]) -> None:
    """Run a stage of a stream on its latest feature, and remember what it gives."""
    x[step.name] = memory[step.name][step.stage] = stream.run(step.stage, x[step.name], memory[step.name])


def fork(step: Fork, x: dict[str, Tensor], memory: dict[str, Memory]) -> None:
    """Let streams go on from all that the leader remembers."""
    for name in step.to:
        memory[name], x[name] = dict(memory[step.leader]), x[step.leader]


def meet(step: Meet, connection: Connection, x: dict[str, Tensor], memory: dict[str, Memory]) -> list[Tensor]:
    """Fuse features where streams meet, and remember them in their place; returns those that went into the unit."""
    names = list(connection.at)
    if connection.gathers or len(step.targets) == len(names):
        features = [f for name in names for f in connection.gathered(name, memory[name])]
        fused = dict(enumerate(connection.unit(features)))
    else:
        own = {j: memory[names[j]][connection.meets[names[j]]] for j in step.sources}
        features = list(own.values())
        fused = connection.unit.forward_some(own, step.targets)
    for j in step.targets:
        x[names[j]] = memory[names[j]][connection.meets[names[j]]] = fused[j]
    return features


def require_streams(streams: Mapping[str, object]) -> None:
    """Raise TypeError for a network that was not made a stream."""
    for name, stream in streams.items():
        if not isinstance(stream, Stream):
            raise TypeError(
                f"{name!r} is a {type(stream).__name__}, not a Stream; wrap it: as_stream(net) for timm's, torchvision's "
                "and our networks, trace_stream(net, stages=[...], example=x) for others"
            )


def check_order(streams: Mapping[str, Stream], connections: Sequence[Connection], trunk: str | None) -> None:
    """Raise ValueError unless every connection names known streams and stages and asks no stream to go back."""
    passed = dict.fromkeys(streams, -1)
    if trunk is not None:
        for name, stream in streams.items():
            passed[name] = _position(stream, name, trunk, "the shared trunk")
    for i, connection in enumerate(connections):
        for name, stages in connection.at.items():
            if name not in streams:
                raise ValueError(f"connection {i} names stream {name!r}; the streams are {list(streams)}")
            order = list(streams[name].stages)
            met = (stages,) if isinstance(stages, str) else stages
            places = [_position(streams[name], name, stage, f"connection {i}") for stage in met]
            if places != sorted(set(places)):
                raise ValueError(
                    f"connection {i} gathers {met} of {name!r}; name each once, in the order in which they run: {order}"
                )
            gathers = not isinstance(stages, str)  # a gathering may follow a meeting at the same stage
            place = places[-1]
            if place < passed[name] + (not gathers):
                raise ValueError(
                    f"connection {i} meets {name!r} at {met[-1]!r}, which it has already passed: it was at "
                    f"{order[passed[name]]!r} before; its stages in order are {order}"
                )
            passed[name] = place


def _position(stream: Stream, name: str, stage: str, who: str) -> int:
    order = list(stream.stages)
    if stage not in order:
        raise ValueError(f"{who}: stream {name!r} has no stage {stage!r}; its stages are {order}")
    return order.index(stage)
