"""A stage as a short list of calls: what is left of an fx graph once it is cut. It holds no parameter and no module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, final

from torch import Tensor, fx, nn

from taskweave.streams.stream import Memory


@final
@dataclass(frozen=True)
class Ref:
    """The value of an earlier call, in arguments."""

    name: str


@final
@dataclass(frozen=True)
class Call:
    """One node of an fx graph: `op` and `target` in fx's words, nodes in the arguments replaced by `Ref`."""

    name: str
    op: str
    target: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def run(self, net: nn.Module, values: Mapping[str, Any]) -> Any:
        args = [filled(arg, values) for arg in self.args]
        kwargs = {key: filled(arg, values) for key, arg in self.kwargs.items()}
        if self.op == "call_module":
            return net.get_submodule(self.target)(*args, **kwargs)
        if self.op == "get_attr":
            return attrgetter(self.target)(net)
        if self.op == "call_method":
            return getattr(args[0], self.target)(*args[1:], **kwargs)
        return self.target(*args, **kwargs)

    def __str__(self) -> str:
        args = ", ".join([str(arg) for arg in self.args] + [f"{key}={arg}" for key, arg in self.kwargs.items()])
        return f"{self.name} = {getattr(self.target, '__name__', self.target)}({args})"


@final
@dataclass(frozen=True)
class Program:
    """Calls between two cuts.

    reads: {value: where memory has it}; fused features are read under their stage's name.
    writes: {value: where memory shall have it}, for later programs.
    result: the value, or the structure of values, that it gives.
    """

    calls: tuple[Call, ...]
    reads: Mapping[str, str]
    writes: Mapping[str, str]
    result: Any

    def run(self, net: nn.Module, memory: Memory, known: Mapping[str, Tensor]) -> Any:
        """known: values by their place in memory that go before what memory has there."""
        values: dict[str, Any] = {
            name: known[place] if place in known else memory[place] for name, place in self.reads.items()
        }
        for call in self.calls:
            values[call.name] = call.run(net, values)
        for name, place in self.writes.items():
            memory[place] = values[name]
        return filled(self.result, values)

    def __str__(self) -> str:
        return "\n".join([*(str(call) for call in self.calls), f"return {self.result}"])


def filled(arg: Any, values: Mapping[str, Any]) -> Any:
    """`arg` with every `Ref` in it replaced by its value."""
    if isinstance(arg, Ref):
        return values[arg.name]
    if isinstance(arg, tuple):
        return tuple([filled(item, values) for item in arg])
    if isinstance(arg, list):
        return [filled(item, values) for item in arg]
    if isinstance(arg, dict):
        return {key: filled(item, values) for key, item in arg.items()}
    if isinstance(arg, slice):
        return slice(filled(arg.start, values), filled(arg.stop, values), filled(arg.step, values))
    return arg


def with_refs(arg: Any) -> Any:
    """fx arguments with every node replaced by a `Ref`, in plain containers."""
    if isinstance(arg, fx.Node):
        return Ref(arg.name)
    if isinstance(arg, tuple):
        return tuple(with_refs(item) for item in arg)
    if isinstance(arg, list):
        return [with_refs(item) for item in arg]
    if isinstance(arg, dict):
        return {key: with_refs(item) for key, item in arg.items()}
    if isinstance(arg, slice):
        return slice(with_refs(arg.start), with_refs(arg.stop), with_refs(arg.step))
    return arg


def as_call(node: fx.Node) -> Call:
    """The call that a graph's node stands for."""
    kwargs = {key: with_refs(arg) for key, arg in node.kwargs.items()}
    return Call(node.name, node.op, node.target, tuple(with_refs(arg) for arg in node.args), kwargs)
