"""What networks that end in a `Head` have in common: their streams, and the body whose children are stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from torch import Tensor, nn
from torch.nn import functional as F

from taskweave.heads.layers import Head
from taskweave.parts import Part
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Enter, Memory, Stage, Stream, pass_input


class Headed(nn.Module):
    """Convolutional `features`, each child a stage, and a head for what they give."""

    def __init__(self, features: nn.Sequential, head: Head) -> None:
        super().__init__()
        self.features = features
        self.head = head

    def forward(self, x: Tensor) -> Any:
        return self.head(self.features(x))


@as_stream.register
def _(net: Headed) -> Stream:
    """The children of `features` in order, then the head's own stages."""
    return headed_stream(net, body_stages(net.features))


def body_stages(features: nn.Module) -> dict[str, Stage]:
    """A stage for each child of a network's `features`, by its name."""
    return {name: (f"features.{name}",) for name, _ in features.named_children()}


def headed_stream(
    net: nn.Module, stages: Mapping[str, Stage], *, enter: Enter = pass_input, enlarge: bool = False
) -> Stream:
    """The stream of a network whose submodule `head` is a `Head`: the given stages, then the head's own.

    Args:
        net: The network.
        stages: Of its body.
        enter: As in `Stream`.
        enlarge: Whether the output is brought to the size of the picture, which `enter` notes: `note_image`.
    """
    head = net.get_submodule("head")
    assert isinstance(head, Head)
    own = {name: tuple(f"head.{path}" for path in paths) for name, paths in head.stages.items()}
    every: dict[str, Stage] = {**stages, **own}
    last = tuple(f"head.{path}" if path else "head" for path in head.last)
    return Stream(net, every, enter=enter, exit=Finish(list(every)[-1], enlarge), head=last)


@final
@dataclass(frozen=True)
class Finish:
    """The exit of a network that ends in a head: what the head makes of the feature of `stage`."""

    stage: str
    enlarge: bool

    def __call__(self, net: nn.Module, memory: Memory) -> Any:
        head = net.get_submodule("head")
        assert isinstance(head, Head)
        output = head.finish(memory[self.stage])
        return enlarged(output, memory["image"].shape[-2:]) if self.enlarge else output


@final
@dataclass(frozen=True)
class Through:
    """An exit: what a submodule of the network makes of the feature of a stage."""

    path: str
    stage: str

    def __call__(self, net: nn.Module, memory: Memory) -> Any:
        return net.get_submodule(self.path)(memory[self.stage])


@final
@dataclass(frozen=True)
class Call:
    """A stage that is a method of the network, (argument, x, memory) -> x."""

    method: str
    argument: int | str

    def __call__(self, net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
        out: Tensor = getattr(net, self.method)(self.argument, x, memory)
        return out


def enlarged(logits: Tensor, size: Sequence[int]) -> Tensor:
    """(B, C, h, w) at `size` (height, width); bilinear, align_corners=False."""
    return F.interpolate(logits, size=list(size), mode="bilinear", align_corners=False)


def note_image(net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
    """An `enter` that remembers the picture."""
    memory["image"] = x
    return x


def normed(head: Part[Head], norm: tuple[float, float] | None) -> Part[Head]:
    """A head with its network's batch norm, where it can have one and none was chosen for it."""
    takes = "batch_norm" in head.options and head.options["batch_norm"] is None
    return head.replace(batch_norm=norm) if takes else head
