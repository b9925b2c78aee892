"""Streams in lock-step, meeting at each connection in turn."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, final

import torch
from torch import Tensor, nn

from taskweave.images import IMAGENET, ImageStatistics
from taskweave.streams.stream import Memory, Stream, evaluating
from taskweave.weaving.connection import Connection
from taskweave.weaving.plan import Fork, Meet, Plan, Run, check_order, make_plan, require_streams

if TYPE_CHECKING:
    from taskweave.weaving.start import StartReport


class Decoder(Protocol):
    """What turns a stream's raw output into a prediction at a size; every task is one."""

    def decode(self, output: Any, size: tuple[int, int]) -> Any: ...


class Watcher(Protocol):
    """Shown, while it is a network's `watcher`, the features that tasks share: the tensors themselves, not copies."""

    def meets(self, index: int, features: Sequence[Tensor]) -> None:
        """Those that go into the unit of connection number `index`, one per stream (and per gathered stage)."""

    def forks(self, feature: Tensor) -> None:
        """The one with which every stream goes on from the shared trunk."""


@final
class Connected(nn.Module):
    """K streams that exchange features at their connections; {stream: input} -> {stream: output}.

    streams: by name. Each keeps its network whole: ``connected.streams[name].net.state_dict()`` is the single-task one.
    connections: in the order in which they are met.
    trunk: a stage up to which (it included) the first stream's features serve all: hard sharing; see `share`.
    tasks: {stream: task}, for `predict`.  statistics: how `predict` prepares a picture.
    watcher: None, or what is shown the features that meet; it changes nothing (`taskweave.training.monitor.monitor`).
    Raises ValueError for an unknown stream or stage, or a connection that goes backwards, TypeError for what is no Stream.
    """

    def __init__(
        self,
        streams: Mapping[str, Stream],
        connections: Sequence[Connection] = (),
        *,
        trunk: str | None = None,
        tasks: Mapping[str, Decoder] | None = None,
        statistics: ImageStatistics = IMAGENET,
    ) -> None:
        super().__init__()
        if not streams:
            raise ValueError("Connected needs at least one stream, got none")
        require_streams(streams)
        check_order(streams, connections, trunk)
        self.streams = nn.ModuleDict(streams)
        self.connections = nn.ModuleList(connections)
        self.trunk = trunk
        self.tasks: dict[str, Decoder] = dict(tasks or {})
        self.statistics = statistics
        self.start: StartReport | None = None  # what connect(..., check_start=True) found
        self.watcher: Watcher | None = None
        self._whole = self.plan(tuple(streams))
        self._alone = {name: self.plan((name,)) for name in streams}

    @property
    def stages(self) -> dict[str, list[str]]:
        """The stages of every stream, in order."""
        return {name: list(self.stream(name).stages) for name in self.streams}

    def stream(self, name: str) -> Stream:
        stream = self.streams[name]
        assert isinstance(stream, Stream)
        return stream

    def connection(self, index: int) -> Connection:
        connection = self.connections[index]
        assert isinstance(connection, Connection)
        return connection

    def plan(self, wanted: Collection[str]) -> Plan:
        """What a call that asks for the outputs `wanted` does, in order."""
        streams = {name: self.stream(name) for name in self.streams}
        for name in wanted:
            if name not in streams:
                raise ValueError(f"there is no stream {name!r}; the streams are {list(streams)}")
        return make_plan(streams, [self.connection(i) for i in range(len(self.connections))], self.trunk, wanted)

    def forward(self, inputs: Any, tasks: Collection[str] | None = None) -> dict[str, Any]:
        """Outputs by stream.

        inputs: {stream: input}, also of streams whose features only travel to the others; or one input for all.
        tasks: compute only these outputs, and only what they can be reached from (default: all).
        """
        memory: dict[str, Memory] = {}
        x: dict[str, Tensor] = {}
        plan = self._whole if tasks is None else self._plan_for(tuple(tasks))
        for name in plan.enters:
            stream, memory[name] = self.stream(name), {}
            x[name] = stream.enter(stream.net, _input_of(inputs, name), memory[name])
        for step in plan.steps:
            if isinstance(step, Run):
                x[step.name] = self.stream(step.name).run(step.stage, x[step.name], memory[step.name])
                memory[step.name][step.stage] = x[step.name]
            elif isinstance(step, Meet):
                self._meet(step, x, memory)
            else:
                _fork(step, x, memory)
                if self.watcher is not None:
                    self.watcher.forks(x[step.leader])
        return {name: self.stream(name).exit(self.stream(name).net, memory[name]) for name in plan.exits}

    def _plan_for(self, wanted: tuple[str, ...]) -> Plan:
        return self._alone[wanted[0]] if len(wanted) == 1 and wanted[0] in self._alone else self.plan(wanted)

    def _meet(self, meet: Meet, x: dict[str, Tensor], memory: dict[str, Memory]) -> None:
        connection = self.connection(meet.index)
        names = list(connection.at)
        if connection.gathers or len(meet.targets) == len(names):
            features = [f for name in names for f in connection.gathered(name, memory[name])]
            fused = dict(enumerate(connection.unit(features)))
        else:
            own = {j: memory[names[j]][connection.meets[names[j]]] for j in meet.sources}
            features = list(own.values())
            fused = connection.unit.forward_some(own, meet.targets)
        if self.watcher is not None:
            self.watcher.meets(meet.index, features)
        for j in meet.targets:
            name = names[j]
            x[name] = memory[name][connection.meets[name]] = fused[j]

    def penalty(self) -> Tensor | None:
        """The sum of what the units ask to be added to the loss (sluices: orthogonality); None where none asks."""
        total: Tensor | None = None
        for index in range(len(self.connections)):
            connection = self.connection(index)
            unit = connection.unit
            weights = (
                [self.stream(name).last_weight(stage) for name, stage in connection.meets.items()]
                if unit.needs_layer_weights
                else []
            )
            term = unit.penalty(weights)
            if term is not None:
                total = term if total is None else total + term
        return total

    @torch.no_grad()
    def predict(self, image: Tensor) -> dict[str, Any]:
        """Decoded outputs at the picture's own size, in eval mode.

        image: RGB (3, H, W) or (B, 3, H, W), uint8 in 0..255 or float in [0, 1]; a single one gives single predictions.
        Raises ValueError where no tasks were given to decode with.
        """
        missing = [name for name in self.streams if name not in self.tasks]
        if missing:
            raise ValueError(
                f"predict needs a task to decode {missing} with; pass tasks={{name: task}} to connect, or set net.tasks"
            )
        if image.ndim not in (3, 4) or image.shape[-3] != 3:
            raise ValueError(f"predict takes RGB (3, H, W) or (B, 3, H, W), got {tuple(image.shape)}")
        batch = image if image.ndim == 4 else image[None]
        like = next(self.parameters(), batch)
        x = self.statistics.normalise(batch).to(like.device)
        with evaluating(self):
            outputs = self(x)
        size = (int(batch.shape[-2]), int(batch.shape[-1]))
        decoded = {name: self.tasks[name].decode(output, size) for name, output in outputs.items()}
        return decoded if image.ndim == 4 else {name: value[0] for name, value in decoded.items()}


def _input_of(inputs: Any, name: str) -> Any:
    if not isinstance(inputs, Mapping):
        return inputs
    if name not in inputs:
        raise ValueError(f"stream {name!r} takes part in these outputs and has no input; there are those of {list(inputs)}")
    return inputs[name]


def _fork(fork: Fork, x: dict[str, Tensor], memory: dict[str, Memory]) -> None:
    for name in fork.to:
        memory[name], x[name] = dict(memory[fork.leader]), x[fork.leader]
