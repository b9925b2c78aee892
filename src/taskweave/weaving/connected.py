"""Streams in lock-step, meeting at each connection in turn."""

from __future__ import annotations

from collections.abc import Collection, ItemsView, Iterator, Mapping, Sequence, ValuesView
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast, final

from torch import Tensor, nn

from taskweave.streams.stream import Memory, Stream
from taskweave.weaving.connection import Connection
from taskweave.weaving.plan import Meet, Plan, Run, check_order, fork, make_plan, meet, require_streams, run_stage

if TYPE_CHECKING:

    class Streams(nn.ModuleDict):
        """A ModuleDict of streams."""

        def __getitem__(self, key: str) -> Stream: ...
        def values(self) -> ValuesView[Stream]: ...
        def items(self) -> ItemsView[str, Stream]: ...

    class Connections(nn.ModuleList):
        """A ModuleList of connections."""

        def __getitem__(self, idx: int) -> Connection: ...  # type: ignore[override]
        def __iter__(self) -> Iterator[Connection]: ...


class Watcher(Protocol):
    """What is shown, inside `watching`, the features that tasks share: the tensors themselves, not copies."""

    def meets(self, index: int, features: Sequence[Tensor]) -> None:
        """Those that go into the unit of connection number `index`, one per stream (and per gathered stage)."""

    def forks(self, feature: Tensor) -> None:
        """The one with which every stream goes on from the shared trunk."""


@final
class Connected(nn.Module):
    """K streams that exchange features at their connections; {stream: input} -> {stream: output}.

    Args:
        streams: By name. Each keeps its network whole: ``connected.streams[name].net.state_dict()`` is the single-task one.
        connections: In the order in which they are met.
        trunk: A stage up to which (it included) the first stream's features serve all: hard sharing; see `share`.

    Raises:
        ValueError: There is no stream, a connection names an unknown one or an unknown stage, or goes backwards.
        TypeError: A value of `streams` is not a Stream.
    """

    def __init__(
        self, streams: Mapping[str, Stream], connections: Sequence[Connection] = (), *, trunk: str | None = None
    ) -> None:
        super().__init__()
        if not streams:
            raise ValueError("Connected needs at least one stream, got none")
        require_streams(streams)
        check_order(streams, connections, trunk)
        self.streams = cast("Streams", nn.ModuleDict(streams))
        self.connections = cast("Connections", nn.ModuleList(connections))
        self.trunk = trunk
        self._watcher: Watcher | None = None
        self._every = self.plan(tuple(streams))
        self._alone = {name: self.plan((name,)) for name in streams}

    @property
    def stages(self) -> dict[str, list[str]]:
        """The stages of every stream, in order."""
        return {name: list(stream.stages) for name, stream in self.streams.items()}

    def stream(self, name: str) -> Stream:
        return self.streams[name]

    def connection(self, index: int) -> Connection:
        return self.connections[index]

    def plan(self, wanted: Collection[str]) -> Plan:
        """What a call that asks for the outputs `wanted` does, in order."""
        streams = dict(self.streams.items())
        for name in wanted:
            if name not in streams:
                raise ValueError(f"there is no stream {name!r}; the streams are {list(streams)}")
        return make_plan(streams, list(self.connections), self.trunk, wanted)

    def forward(self, inputs: Any, tasks: Collection[str] | None = None) -> dict[str, Any]:
        """Outputs by stream.

        Args:
            inputs: {stream: input}, also of streams whose features only travel to the others; or one input for all.
            tasks: Compute only these outputs, and only what they can be reached from (default: all).
        """
        memory: dict[str, Memory] = {}
        x: dict[str, Tensor] = {}
        plan = self._every if tasks is None else self._plan_for(tuple(tasks))
        for name in plan.enters:
            stream, memory[name] = self.streams[name], {}
            x[name] = stream.enter(stream.net, _input_of(inputs, name), memory[name])
        for step in plan.steps:
            if isinstance(step, Run):
                run_stage(step, self.streams[step.name], x, memory)
            elif isinstance(step, Meet):
                features = meet(step, self.connections[step.index], x, memory)
                if self._watcher is not None:
                    self._watcher.meets(step.index, features)
            else:
                fork(step, x, memory)
                if self._watcher is not None:
                    self._watcher.forks(x[step.leader])
        return {name: self.streams[name].exit(self.streams[name].net, memory[name]) for name in plan.exits}

    def _plan_for(self, wanted: tuple[str, ...]) -> Plan:
        return self._alone[wanted[0]] if len(wanted) == 1 and wanted[0] in self._alone else self.plan(wanted)

    def penalty(self) -> Tensor | None:
        """The sum of what the units ask to be added to the loss (sluices: orthogonality); None where none asks."""
        total: Tensor | None = None
        for connection in self.connections:
            unit = connection.unit
            weights = (
                [self.streams[name].last_weight(stage) for name, stage in connection.meets.items()]
                if unit.needs_layer_weights
                else []
            )
            term = unit.penalty(weights)
            if term is not None:
                total = term if total is None else total + term
        return total


@contextmanager
def watching(net: Connected, watcher: Watcher | None) -> Iterator[None]:
    """Inside, a network shows `watcher` the features that meet; it changes nothing. None: nobody watches."""
    net._watcher = watcher
    try:
        yield
    finally:
        net._watcher = None


def _input_of(inputs: Any, name: str) -> Any:
    if not isinstance(inputs, Mapping):
        return inputs
    if name not in inputs:
        raise ValueError(f"stream {name!r} takes part in these outputs and has no input; there are those of {list(inputs)}")
    return inputs[name]
