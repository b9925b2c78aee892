"""Trace a network with fx, only as deep as its stages lie, and cut the graph into a short program for each of them."""

from __future__ import annotations

import inspect
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import Any, final

from torch import Tensor, fx, nn

from taskweave.streams.stream import Memory, comes_from


@final
class StageTracer(fx.Tracer):
    """Goes into the modules around the stages only: every other module stays one call, its control flow alive."""

    def __init__(self, stages: Sequence[str], functions: Sequence[Callable[..., Any]]) -> None:
        super().__init__(autowrap_functions=tuple(functions))
        parts = [stage.split(".") for stage in stages]
        self.opened = {".".join(names[:depth]) for names in parts for depth in range(len(names))}
        self.outputs: dict[str, list[Any]] = {}

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return module_qualified_name not in self.opened

    def create_args_for_root(
        self, root_fn: Callable[..., Any], is_module: bool, concrete_args: Any = None
    ) -> tuple[Callable[..., Any], list[Any]]:
        """Only the first input is a variable; the others keep their defaults, so that `if mask is None` is decided."""
        name = next(iter(inspect.signature(self.root.forward).parameters))
        return root_fn, [self.root, self.create_proxy("placeholder", name, (), {})]

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        output = super().call_module(m, forward, args, kwargs)
        self.outputs.setdefault(self.path_of_module(m), []).append(output)
        return output

    def create_arg(self, a: Any) -> Any:
        if isinstance(a, Tensor) and not isinstance(a, nn.Parameter) and all(a is not b for b in self.root.buffers()):
            # fx would store it in the network and so change its state_dict
            raise ValueError("a tensor is made from constants outside the stages")
        return super().create_arg(a)


def trace(net: nn.Module, stages: Sequence[str]) -> tuple[fx.Graph, dict[str, fx.Node]]:
    """Return the graph of a network in its present mode, and the node at which each stage ends.

    Raises:
        ValueError: fx cannot trace the network, or a stage does not run exactly once or does not return a tensor.
    """
    tracer = StageTracer(stages, _closed_functions(net))
    try:
        graph = tracer.trace(net)
    except Exception as error:
        raise ValueError(
            f"fx cannot follow the forward of {type(net).__name__} around the stages {list(stages)}: {error}. "
            "Write Stream(net, stages={...}, enter=..., exit=...) by hand"
        ) from error
    return graph, {stage: _end(net, stage, tracer.outputs.get(stage, [])) for stage in stages}


def _closed_functions(net: nn.Module) -> Sequence[Callable[..., Any]]:
    """Functions that the libraries of the network's modules mark as not to be traced into."""
    if not any(comes_from(type(module), "timm") for module in net.modules()):
        return ()
    from timm.layers import get_notrace_functions  # type: ignore[attr-defined]

    return tuple(get_notrace_functions())  # type: ignore[no-untyped-call]


def _end(net: nn.Module, stage: str, outputs: Sequence[Any]) -> fx.Node:
    if len(outputs) != 1:
        raise ValueError(f"{type(net).__name__} runs {stage!r} {len(outputs)} times; a stage is run exactly once")
    if not isinstance(outputs[0], fx.Proxy):
        raise ValueError(f"{stage!r} gives a {type(outputs[0]).__name__}; a stage gives one tensor")
    return outputs[0].node


def cut(graph: fx.Graph, ends: Mapping[str, fx.Node]) -> list[Program]:
    """Return a program up to the end of each stage, and one for the rest, which returns the network's output.

    Raises:
        ValueError: The stages do not end in the order given.
    """
    nodes = [node for node in graph.nodes if node.op not in ("placeholder", "output")]
    position = {node: index for index, node in enumerate(nodes)}
    _check_order({stage: position.get(node, -1) for stage, node in ends.items()})
    stops = [position[node] for node in ends.values()]
    segment = {node: bisect_left(stops, index) for node, index in position.items()}
    where = {node: key_of(node) for node in graph.nodes} | {node: stage for stage, node in ends.items()}
    output = next(node for node in graph.nodes if node.op == "output")
    results: list[Any] = [*ends.values(), output.args[0]]
    return [_program(index, result, segment, where) for index, result in enumerate(results)]


def _program(index: int, result: Any, segment: Mapping[fx.Node, int], where: Mapping[fx.Node, str]) -> Program:
    """Return the program of one segment.

    Args:
        where: The key under which memory keeps the value of a node.
    """
    own = [node for node, its in segment.items() if its == index]
    used: list[fx.Node] = [source for node in own for source in node.all_input_nodes]
    fx.node.map_arg(result, used.append)
    reads = {node.name: where[node] for node in used if segment.get(node, -1) < index}  # the input is in no segment
    writes = {node.name: where[node] for node in own if any(segment.get(user, index + 1) > index for user in node.users)}
    return Program(tuple(as_call(node) for node in own), reads, writes, with_refs(result))


def key_of(node: fx.Node) -> str:
    """The key of a value that is no stage's feature. The space keeps it apart from the paths of modules."""
    return f"value {node.name}"


def _check_order(positions: Mapping[str, int]) -> None:
    order = sorted(positions, key=lambda stage: positions[stage])
    if order != list(positions):
        raise ValueError(f"the network runs these stages in the order {order}, not {list(positions)}")
    for earlier, stage in pairwise(order):
        if positions[stage] == positions[earlier]:
            raise ValueError(f"the stages {earlier!r} and {stage!r} end at the same place; keep one of them")
    if order and positions[order[0]] < 0:
        raise ValueError(f"stage {order[0]!r} gives the network's input as it is; leave it out")


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
    """Calls between two cuts. It holds no parameter and no module.

    Args:
        calls: In the order of the graph.
        reads: {value: its key in memory}; fused features are read under their stage's name.
        writes: {value: its key in memory}, for later programs.
        result: The value, or the structure of values, that it gives.
    """

    calls: tuple[Call, ...]
    reads: Mapping[str, str]
    writes: Mapping[str, str]
    result: Any

    def run(self, net: nn.Module, memory: Memory, known: Mapping[str, Tensor]) -> Any:
        """Run the calls and return the result.

        Args:
            known: Values by their key in memory; they take precedence over memory.
        """
        values: dict[str, Any] = {name: known[key] if key in known else memory[key] for name, key in self.reads.items()}
        for call in self.calls:
            values[call.name] = call.run(net, values)
        for name, key in self.writes.items():
            memory[key] = values[name]
        return filled(self.result, values)

    def __str__(self) -> str:
        return "\n".join([*(str(call) for call in self.calls), f"return {self.result}"])


def filled(arg: Any, values: Mapping[str, Any]) -> Any:
    """`arg` with every `Ref` in it replaced by its value."""
    return _replaced(arg, lambda one: values[one.name] if isinstance(one, Ref) else one)


def with_refs(arg: Any) -> Any:
    """fx arguments with every node replaced by a `Ref`, in plain containers."""
    return _replaced(arg, lambda one: Ref(one.name) if isinstance(one, fx.Node) else one)


def _replaced(arg: Any, by: Callable[[Any], Any]) -> Any:
    if isinstance(arg, tuple):
        return tuple([_replaced(item, by) for item in arg])
    if isinstance(arg, list):
        return [_replaced(item, by) for item in arg]
    if isinstance(arg, dict):
        return {key: _replaced(item, by) for key, item in arg.items()}
    if isinstance(arg, slice):
        return slice(_replaced(arg.start, by), _replaced(arg.stop, by), _replaced(arg.step, by))
    return by(arg)


def as_call(node: fx.Node) -> Call:
    """The call that a graph's node stands for."""
    kwargs = {key: with_refs(arg) for key, arg in node.kwargs.items()}
    return Call(node.name, node.op, node.target, tuple(with_refs(arg) for arg in node.args), kwargs)
