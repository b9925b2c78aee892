"""Small streams that tell what they ran, and units whose outputs can be computed by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

import taskweave as tw
from taskweave.streams.stream import Memory


@dataclass
class Counted:
    """A stage that runs one submodule and writes down that it did."""

    name: str
    log: list[str] = field(default_factory=list)

    def __call__(self, net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
        self.log.append(self.name)
        return net.get_submodule(self.name.split(".")[1])(x)


class Chain(nn.Sequential):
    """Three 1x1 convolutions, s1 ... s3."""

    def __init__(self, channels: Sequence[int] = (4, 4, 4)) -> None:
        super().__init__()
        for i, (before, after) in enumerate(zip((3, *channels), channels, strict=False), 1):
            self.add_module(f"s{i}", nn.Conv2d(before, after, 1))


def counted(names: str, channels: Sequence[int] = (4, 4, 4)) -> tuple[dict[str, tw.Stream], list[str]]:
    """Streams of `Chain`s, one per letter, and the list to which each stage that runs adds "a.s1"."""
    log: list[str] = []
    stages = [f"s{i}" for i in range(1, len(channels) + 1)]
    streams = {
        name: tw.Stream(Chain(channels), {s: tw.Step(Counted(f"{name}.{s}", log), (s,)) for s in stages}) for name in names
    }
    return streams, log


def plain(names: str, channels: Sequence[int] = (4, 4, 4)) -> dict[str, tw.Stream]:
    return {name: tw.Stream(Chain(channels), {f"s{i}": [f"s{i}"] for i in range(1, len(channels) + 1)}) for name in names}


class Sum(tw.Unit):
    """out_t = x_t + 2 sum of x_s over the sources given for t; without any, from all others."""

    def __init__(self, shapes: Sequence[tw.FeatureShape], *, reads: Mapping[int, tuple[int, ...]] | None = None) -> None:
        super().__init__(shapes)
        self.reads = reads

    def read(self, target: int) -> tuple[int, ...]:
        if self.reads is None:
            return tuple(s for s in range(len(self.shapes)) if s != target)
        return self.reads.get(target, ())

    def sources(self, target: int) -> frozenset[int]:
        return frozenset((target, *self.read(target)))

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        outputs = self.forward_some(dict(enumerate(features)), range(len(features)))
        return [outputs[t] for t in range(len(features))]

    def forward_some(self, features, targets) -> dict[int, Tensor]:
        return {t: features[t] + 2 * sum((features[s] for s in self.read(t)), torch.zeros(())) for t in targets}


class Swap(tw.Unit):
    """Hands the features on in the opposite order."""

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return features[::-1]


class Last(tw.Unit):
    """Of several gathered features of one stream, their sum."""

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return [sum(features, torch.zeros(()))]


X = torch.rand(2, 3, 5, 4) - 0.5
