"""A stream: one network kept whole, plus its ordered, named stages."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeCopyMode, FakeTensorMode

from taskweave.features import FeatureShape

Memory = dict[str, Any]
"""The (fused) feature of every finished stage by its name, and whatever `enter` or a stage noted down."""

StageFunction = Callable[[nn.Module, Tensor, Memory], Tensor]
Enter = Callable[[nn.Module, Any, Memory], Tensor]
Exit = Callable[[nn.Module, Memory], Any]


@final
@dataclass(frozen=True)
class Step:
    """A stage that is a function (net, x, memory) -> x, with the names of the submodules that it runs."""

    run: StageFunction
    modules: tuple[str, ...]


Stage = Sequence[str] | Step


def pass_input(net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
    """The default `enter`: the input is the first tensor."""
    return x


@final
@dataclass(frozen=True)
class TakeFeature:
    """The default `exit`: the feature of one stage, the last."""

    stage: str

    def __call__(self, net: nn.Module, memory: Memory) -> Any:
        return memory[self.stage]


@final
class Stream(nn.Module):
    """One task's network that can stop at named stages. `net` is never rewritten: its state_dict is the single-task one.

    Args:
        net: The network, kept as the object that was given.
        stages: Name -> the submodules run in order, or a `Step`. A name may not equal a note that `enter` leaves in memory.
        enter: (net, input, memory) -> first tensor.
        exit: (net, memory) -> the network's output.
        head: Submodules that are the last layer(s), for learning-rate groups.
        channel_axis: For features that are neither (B, C, ...) nor tokens (B, N, C).

    Raises:
        ValueError: There is no stage, or the network lacks a submodule.
    """

    def __init__(
        self,
        net: nn.Module,
        stages: Mapping[str, Stage],
        *,
        enter: Enter = pass_input,
        exit: Exit | None = None,
        head: Sequence[str] = (),
        channel_axis: int | None = None,
    ) -> None:
        super().__init__()
        if not stages:
            raise ValueError(f"a Stream of {type(net).__name__} needs at least one stage, got none")
        self.net = net
        self.stages: dict[str, Stage] = {name: s if isinstance(s, Step) else tuple(s) for name, s in stages.items()}
        self.enter = enter
        self.exit: Exit = exit if exit is not None else TakeFeature(list(self.stages)[-1])
        self.head = tuple(head)
        self.channel_axis = channel_axis
        self._check_paths()

    def _check_paths(self) -> None:
        known = {name for name, _ in self.net.named_modules()}
        users = {f"stage {stage!r} runs": self.modules_of(stage) for stage in self.stages} | {"head names": self.head}
        for use, paths in users.items():
            for path in paths:
                if path not in known:
                    raise ValueError(
                        f"{use} {path!r}, which {type(self.net).__name__} does not have; "
                        f"its children are {[name for name, _ in self.net.named_children()]}"
                    )

    def modules_of(self, stage: str) -> tuple[str, ...]:
        """Paths in `net` of the submodules that a stage runs."""
        how = self.stages[stage]
        return how.modules if isinstance(how, Step) else tuple(how)

    def run(self, stage: str, x: Tensor, memory: Memory) -> Tensor:
        """Run one stage and return its feature. The caller keeps it in memory, after fusion."""
        how = self.stages[stage]
        return how.run(self.net, x, memory) if isinstance(how, Step) else run_layers(self.net, how, x)

    def forward(self, x: Any) -> Any:
        """The network alone. Equal to ``net(x)`` by contract; `prove` checks it."""
        memory: Memory = {}
        x = self.enter(self.net, x, memory)
        for stage in self.stages:
            x = memory[stage] = self.run(stage, x, memory)
        return self.exit(self.net, memory)

    def last_weight(self, stage: str) -> Tensor:
        """The weight (C_out, ...) of the last convolution or linear layer that runs up to the end of a stage.

        Raises:
            ValueError: No stage up to there runs one.
        """
        order = list(self.stages)
        layers = [
            layer
            for earlier in order[: order.index(stage) + 1]
            for path in self.modules_of(earlier)
            if path  # the empty path stands for parameters of the network itself, not for all that is in it
            for layer in self.net.get_submodule(path).modules()
            if isinstance(layer, nn.Conv2d | nn.Linear)
        ]
        if not layers:
            raise ValueError(f"up to stage {stage!r} {type(self.net).__name__} runs no convolution or linear layer")
        return layers[-1].weight

    def prove(self, example: Any) -> None:
        """Check that this stream computes exactly what its network computes on `example`.

        Both run once, in eval mode; if dropout works in place, the stream runs once more with dropout active.

        Args:
            example: The network's input. A tuple is its positional arguments: (images, targets) for a detector.

        Raises:
            ValueError: The outputs differ, a stage does not return one tensor, or a stage overwrites a feature that an
                earlier stage left in memory.
        """
        example = like_parameters(example, self.net)
        with evaluating(self.net), torch.no_grad():
            output = self.watched(example)
            expected = self.net(*example) if isinstance(example, tuple) else self.net(example)
        if not same(output, expected):
            raise ValueError(
                f"the stages {list(self.stages)} of {type(self.net).__name__} do not compute what the network computes; "
                "check their order, `enter` and `exit`, or let trace_stream find them"
            )
        dropouts = [m for m in self.net.modules() if isinstance(m, nn.modules.dropout._DropoutNd) and m.inplace]
        devices = {p.device for p in self.net.parameters() if p.device.type == "cuda"}
        if dropouts:
            with evaluating(self.net), torch.no_grad(), torch.random.fork_rng(devices=list(devices)):
                for dropout in dropouts:
                    dropout.train()
                self.watched(example)

    def watched(self, example: Any) -> Any:
        """Return ``self(example)``, checking every stage.

        Raises:
            ValueError: A stage does not return a tensor, or overwrites a remembered feature.
        """
        memory: Memory = {}
        versions: dict[str, int] = {}
        x = self.enter(self.net, example, memory)
        for stage in self.stages:
            x = memory[stage] = self.run(stage, x, memory)
            if not isinstance(x, Tensor):
                raise ValueError(
                    f"stage {stage!r} of {type(self.net).__name__} gives a {type(x).__name__}; a stage gives one tensor, "
                    "so end it where the network's feature is one"
                )
            self._check_untouched(memory, versions, f"stage {stage!r}")
            versions[stage] = x._version
        output = self.exit(self.net, memory)
        self._check_untouched(memory, versions, "the exit")
        return output

    def _check_untouched(self, memory: Memory, versions: Mapping[str, int], by: str) -> None:
        for earlier, version in versions.items():
            if memory[earlier]._version != version:
                raise ValueError(
                    f"{by} of {type(self.net).__name__} overwrites in place the feature remembered for {earlier!r}; "
                    f"end {earlier!r} after the in-place layer, or give that layer inplace=False"
                )

    def shape_of(self, feature: Tensor) -> FeatureShape:
        return FeatureShape.of(feature, self.channel_axis)

    def shapes(self, example: Any) -> dict[str, FeatureShape]:
        """The shape of every stage's feature for an input like `example`, computed on fake tensors."""
        memory: Memory = {}
        mode = dry_mode(self.net)
        twin = dry_copy(self, mode)
        with torch.no_grad(), mode:
            x = twin.enter(twin.net, like_parameters(example, twin.net), memory)
            for stage in twin.stages:
                x = memory[stage] = twin.run(stage, x, memory)
        return {stage: self.shape_of(memory[stage]) for stage in self.stages}


def run_layers(net: nn.Module, paths: Sequence[str], x: Tensor) -> Tensor:
    """What submodules of a network make of a feature, one after the other."""
    for path in paths:
        x = net.get_submodule(path)(x)
    return x


@contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """Eval mode inside, every submodule's own mode restored after."""
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def is_meta(net: nn.Module) -> bool:
    """Whether a network has shapes only (built under ``torch.device("meta")``)."""
    return any(p.is_meta for p in net.parameters())


def dry_mode(net: nn.Module) -> AbstractContextManager[object]:
    """Where running `net` computes shapes only: fake tensors, or nothing to add for a network on the meta device."""
    return nullcontext() if is_meta(net) else FakeTensorMode(allow_non_fake_inputs=True)


def dry_copy(stream: Stream, mode: AbstractContextManager[object]) -> Stream:
    """A copy without data, in eval mode, to run in `dry_mode`: what a network keeps while it runs (a detector's anchors,
    a transformer's masks) must not be left in the real one as fake tensors."""
    if not isinstance(mode, FakeTensorMode):
        return copy.deepcopy(stream).eval()
    # copies of parameters and buffers are given beforehand: to let deepcopy make them takes three times as long
    known = {id(tensor): mode.from_tensor(tensor) for tensor in (*stream.parameters(), *stream.buffers())}
    with FakeCopyMode(mode):
        return copy.deepcopy(stream, known).eval()


def like_parameters(example: Any, net: nn.Module) -> Any:
    """A tensor example moved to the device of the network's parameters."""
    first = next(net.parameters(), None)
    return example.to(first.device) if isinstance(example, Tensor) and first is not None else example


def same(a: Any, b: Any) -> bool:
    """Exact equality of outputs that may be tensors in dicts, lists and tuples; NaN equals NaN."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.shape == b.shape and a.dtype == b.dtype and bool(((a == b) | ((a != a) & (b != b))).all())
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(i, j) for i, j in zip(a, b, strict=True))
    return bool(a == b)


def comes_from(kind: type, library: str) -> bool:
    """Whether a type, or one that it inherits from, is defined in a library."""
    return any(ancestor.__module__.partition(".")[0] == library for ancestor in kind.__mro__)
