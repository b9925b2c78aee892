"""Streams in lock-step, meeting at each connection in turn; several such networks; and what one predicts for a picture."""

from __future__ import annotations

from collections.abc import Collection, ItemsView, Iterator, Mapping, Sequence, ValuesView
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast, final

import torch
from torch import Tensor, nn

from taskweave.images import IMAGENET, ImageStatistics
from taskweave.streams.stream import Memory, Stream, evaluating
from taskweave.weaving.plan import (
    Connection,
    Meet,
    Plan,
    Run,
    check_order,
    fork,
    make_plan,
    meet,
    require_streams,
    run_stage,
)

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


@final
class Ensemble(nn.Module):
    """Networks side by side; {task: [output of every member that has the task]}, in the order of the members.

    An "ensemble of two" per task, as the papers call it, is four single networks here: two for each task. How outputs are
    averaged depends on the task: `taskweave.tasks.task.mean_soft`.

    Raises:
        ValueError: There are no members.
    """

    def __init__(self, members: Sequence[Connected]) -> None:
        super().__init__()
        if not members:
            raise ValueError("an Ensemble needs at least one member, got none")
        self.members = nn.ModuleList(members)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Every task that a member has, in order of appearance."""
        return tuple(dict.fromkeys(name for i in range(len(self.members)) for name in self.member(i).streams))

    def member(self, index: int) -> Connected:
        member = self.members[index]
        assert isinstance(member, Connected)
        return member

    def forward(self, inputs: Any, tasks: Collection[str] | None = None) -> dict[str, list[Any]]:
        """Return the members' outputs by task.

        Args:
            inputs: {task: input}, or one input for all.
            tasks: Only these. Default: all.

        Raises:
            ValueError: No member has one of the tasks.
        """
        wanted = self.tasks if tasks is None else tuple(tasks)
        for name in wanted:
            if name not in self.tasks:
                raise ValueError(f"no member of this ensemble has the task {name!r}; the tasks are {list(self.tasks)}")
        outputs: dict[str, list[Any]] = {name: [] for name in wanted}
        for i in range(len(self.members)):
            member = self.member(i)
            own = [name for name in wanted if name in member.streams]
            for name, output in (member(inputs, own) if own else {}).items():
                outputs[name].append(output)
        return outputs


class Decoder(Protocol):
    """What turns a stream's raw output into a prediction at a size; every task is one."""

    def decode(self, output: Any, size: tuple[int, int]) -> Any: ...


@torch.no_grad()
def predict(
    net: Connected, tasks: Mapping[str, Decoder], image: Tensor, *, statistics: ImageStatistics = IMAGENET
) -> dict[str, Any]:
    """Decode a network's outputs for a picture, at the picture's own size, in eval mode.

    Args:
        net: The network; its modes are put back.
        tasks: {stream: task}, of every stream.
        image: RGB (3, H, W) or (B, 3, H, W), uint8 in 0..255 or float in [0, 1].
        statistics: How a picture becomes network input: as in the network's training.

    Returns:
        {stream: prediction}; of a single picture single predictions.

    Raises:
        ValueError: A stream has no task, or the picture is of another shape.
    """
    if missing := [name for name in net.streams if name not in tasks]:
        raise ValueError(f"predict needs a task to decode {missing} with; got tasks for {list(tasks)}")
    if image.ndim not in (3, 4) or image.shape[-3] != 3:
        raise ValueError(f"predict takes RGB (3, H, W) or (B, 3, H, W), got {tuple(image.shape)}")
    batch = image if image.ndim == 4 else image[None]
    like = next(net.parameters(), batch)
    with evaluating(net):
        outputs = net(statistics.normalise(batch).to(like.device))
    size = (int(batch.shape[-2]), int(batch.shape[-1]))
    decoded = {name: tasks[name].decode(output, size) for name, output in outputs.items()}
    return decoded if image.ndim == 4 else {name: value[0] for name, value in decoded.items()}
