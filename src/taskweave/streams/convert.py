"""A network's stream: by its type, or found by tracing, the network staying whole."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import singledispatch
from typing import Any, final

import torch
from torch import Tensor, nn

from taskweave.streams.cutting import Program, cut, key_of, trace
from taskweave.streams.stream import Memory, Step, Stream, comes_from, evaluating, is_meta, like_parameters, same


@singledispatch
def as_stream(net: nn.Module) -> Stream:
    """The stream of a network: timm's, torchvision's, ours, and any other that fx can follow.

    A timm network of a type that is not registered gets a stage at each feature that timm lists, a network from elsewhere
    one at each of its children; both are found by tracing.

    Stage names are the library's own words (``layer1``, ``stages.0``, ``blocks.3``) or, where it has only numbers (VGG,
    AlexNet), the papers' (``pool1``, ``fc6``). The network is kept as the object that it is.
    Further types: ``@as_stream.register`` a function from the network to its `Stream`.

    Raises:
        TypeError: Nobody registered the type, and tracing cannot follow the network.
    """
    if comes_from(type(net), "timm"):
        import taskweave.streams.timm
    if comes_from(type(net), "torchvision"):
        import taskweave.streams.torchvision  # noqa: F401
    found = as_stream.dispatch(type(net))
    if found is as_stream.dispatch(object):
        return _traced(net)
    return found(net)


def _traced(net: nn.Module) -> Stream:
    if comes_from(type(net), "timm"):
        from taskweave.streams.timm import trace_timm

        if listed := trace_timm(net):
            return listed
    try:
        if isinstance(net, nn.Module):
            return trace_children(net)
        why = "it is no torch.nn.Module"
    except (ValueError, RuntimeError, TypeError) as error:
        why = str(error)
    raise TypeError(
        f"no stages are known for {type(net).__name__}, and tracing finds none ({why}); write Stream(net, stages={{...}}), "
        "or let trace_stream(net, stages=[...], example=x) find them; @as_stream.register makes either known for the type"
    )


def trace_stream(
    net: nn.Module,
    *,
    stages: Sequence[str],
    example: Any,
    head: Sequence[str] = (),
    channel_axis: int | None = None,
) -> Stream:
    """A stream that stops after each of the named submodules.

    Only the forward of the modules around the stages is traced, once in eval and once in train mode; all others stay calls
    of the network's own modules. Skip connections, sizes and the like travel in the stream's memory, and what is read from
    a stage is its feature after fusion. Attributes and Python conditions outside the stages are fixed as they are now;
    where the two modes differ there (functional dropout), ``net.training`` decides.

    Args:
        net: The network, kept as the object that was given.
        stages: Paths of submodules (``"layer1"``, ``"encoder.stages.2"``), in the order in which the network runs them.
        example: An input (B, ...). The stream is proved on it: equal to the network exactly, in eval mode and, on copies
            and with equal seeds, in train mode (a batch of one is doubled for that). Not done on the meta device.
        head: Paths of the last layer(s).
        channel_axis: 3 for features (B, H, W, C), as timm's Swin has them; see `Stream`.

    Raises:
        ValueError: There is no such submodule (what there is is named), stages are in another order than the network's, fx
            cannot follow the network, or a stage cannot be one: it runs twice, gives no tensor, or is overwritten later.
    """
    _check_names(net, stages)
    programs: dict[bool, list[Program]] = {}
    with evaluating(net):
        for training in (False, True):
            net.train(training)
            graph, ends = trace(net, stages)
            programs[training] = cut(graph, ends)
    source = key_of(next(node for node in graph.nodes if node.op == "placeholder"))
    *middle, last = [TwoModes(*pair) for pair in zip(programs[False], programs[True], strict=True)]
    steps = {
        stage: Step(TracedStage(previous, program), program.modules)
        for stage, previous, program in zip(stages, [source, *stages], middle, strict=False)
    }
    stream = Stream(net, steps, enter=NoteInput(source), exit=last, head=head, channel_axis=channel_axis)
    if not is_meta(net):
        stream.prove(example)
        _prove_training(stream, example)
    return stream


def trace_children(net: nn.Module) -> Stream:
    """A stream with a stage at each child of a network that runs once and gives one tensor; the last one is the head.

    Args:
        net: Of images (B, 3, H, W); it is run once on one of 64 x 64 pixels. Kept as the object that was given.

    Raises:
        ValueError: No child can be a stage, or fx cannot follow the network; see `trace_stream`.
        RuntimeError: The network cannot run on such an image.
    """
    first = next(net.parameters(), None)
    example = torch.zeros(1, 3, 64, 64, device=None if first is None else first.device)
    found: dict[str, tuple[Tensor, int] | None] = {}

    def note(name: str, output: Any) -> None:
        found[name] = (output, output._version) if isinstance(output, Tensor) and name not in found else None

    hooks = [
        child.register_forward_hook(lambda _module, _inputs, output, name=name: note(name, output))
        for name, child in net.named_children()
    ]
    try:
        with evaluating(net), torch.no_grad():
            net(example)
    finally:
        for hook in hooks:
            hook.remove()
    # what is overwritten in place later, by an activation for one, is no feature
    stages = [name for name, kept in found.items() if kept is not None and kept[0]._version == kept[1]]
    if not stages:
        raise ValueError(f"no child of {type(net).__name__} runs once and gives one tensor")
    return trace_stream(net, stages=stages, example=example, head=stages[-1:])


@final
@dataclass(frozen=True)
class TwoModes:
    """What a stage does in eval and in train mode: as a rule the same."""

    evaluating: Program
    training: Program

    def of(self, net: nn.Module) -> Program:
        return self.training if net.training else self.evaluating

    def __call__(self, net: nn.Module, memory: Memory) -> Any:
        """The exit of a traced stream: what the network does after the last stage."""
        return self.of(net).run(net, memory, {})

    @property
    def modules(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(call.target for call in self.evaluating.calls if call.op == "call_module"))


@final
@dataclass(frozen=True)
class NoteInput:
    """The enter of a traced stream: later stages may read the input too."""

    key: str

    def __call__(self, net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
        memory[self.key] = x
        return x


@final
@dataclass(frozen=True)
class TracedStage:
    """A stage of a traced stream.

    Args:
        previous: The stage before it, or the input; x is its feature.
    """

    previous: str
    programs: TwoModes

    def __call__(self, net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
        feature: Tensor = self.programs.of(net).run(net, memory, {self.previous: x})
        return feature


def _check_names(net: nn.Module, stages: Sequence[str]) -> None:
    if not stages:
        raise ValueError("trace_stream needs at least one stage, got none")
    if len(set(stages)) < len(stages):
        raise ValueError(f"a stage is named twice in {list(stages)}")
    known = [name for name, _ in net.named_modules() if name]
    for stage in stages:
        if stage not in known:
            near = get_close_matches(stage, known, n=3)
            outer = [name for name in known if name.count(".") < 2]
            raise ValueError(
                f"{type(net).__name__} has no submodule {stage!r}"
                + (f" (did you mean {near}?)" if near else "")
                + f"; it has {outer[:60]}"
                + ("" if len(outer) == len(known) and len(outer) <= 60 else " and, within them, more")
            )


def _prove_training(stream: Stream, example: Any) -> None:
    """Raise ValueError unless stream and network, copied, seeded and in train mode, give equal outputs and buffers."""
    batch = like_parameters(example, stream.net)
    if isinstance(batch, Tensor) and len(batch) == 1:
        batch = torch.cat([batch, batch])
    plain, twin = copy.deepcopy(stream.net).train(), copy.deepcopy(stream).train()
    devices = {p.device for p in stream.parameters() if p.device.type == "cuda"}
    with torch.no_grad(), torch.random.fork_rng(devices=list(devices)):
        torch.manual_seed(0)
        expected = plain(batch)
        torch.manual_seed(0)
        output = twin.watched(batch)
    if not same(output, expected) or not same(dict(twin.net.state_dict()), dict(plain.state_dict())):
        raise ValueError(
            f"in train mode the traced stages {list(stream.stages)} of {type(stream.net).__name__} do not compute what the "
            "network computes, so its forward draws or decides something that a trace fixes; write the Stream by hand"
        )
