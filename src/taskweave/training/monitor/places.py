"""Where tasks meet in a network, and which way each task's gradient points there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol, final

import torch
from torch import Tensor

from taskweave.weaving.connected import Connected

FORK = -1
"""The number of the end of a shared trunk among the connections."""

Gradient = list[Tensor | None]
"""With respect to each of several tensors; None for one that a loss does not depend on, or that wants no gradient."""


class Backward(Protocol):
    """`Fabric.backward`."""

    def __call__(self, tensor: Tensor, *, inputs: Sequence[Tensor], retain_graph: bool) -> None: ...


@final
@dataclass(frozen=True)
class Place:
    """A connection of two streams or more, or the end of the trunk.

    name: the stage, or "<stream>.<stage>+..." where streams meet at different ones; number: of the connection, or `FORK`.
    weights: of the last convolution or linear layer of each stream before the place. (The unit's own would not do: the
        output of one stream often has rows of its own in it, so that no two tasks' gradients meet there.)
    """

    name: str
    number: int
    weights: tuple[Tensor, ...]


def places_of(net: Connected) -> tuple[Place, ...]:
    """In the order of the forward pass; every name once."""
    found: list[Place] = []
    if net.trunk is not None and len(net.streams) > 1:
        leader = next(iter(net.streams))
        found.append(Place(f"fork at {net.trunk}", FORK, _weights(net, {leader: net.trunk})))
    for number in range(len(net.connections)):
        connection = net.connection(number)
        if len(connection.meets) > 1:
            name = _name(connection.meets)
            twice = sum(place.name.split(" (")[0] == name for place in found)
            found.append(Place(f"{name} ({twice + 1})" if twice else name, number, _weights(net, connection.meets)))
    return tuple(found)


def _name(meets: Mapping[str, str]) -> str:
    stages = list(dict.fromkeys(meets.values()))
    return stages[0] if len(stages) == 1 else "+".join(f"{stream}.{stage}" for stream, stage in meets.items())


def _weights(net: Connected, meets: Mapping[str, str]) -> tuple[Tensor, ...]:
    """Of the last convolution or linear layer of each stream up to the stage where it meets the others."""
    found: list[Tensor] = []
    for stream, stage in meets.items():
        with suppress(ValueError):  # up to there it has none
            found.append(net.stream(stream).last_weight(stage))
    return tuple(found)


@final
class Seen:
    """The features that met in one forward pass, by the number of the place. A `taskweave.weaving.connected.Watcher`."""

    def __init__(self) -> None:
        self.features: dict[int, list[Tensor]] = {}

    def meets(self, index: int, features: Sequence[Tensor]) -> None:
        self.features[index] = list(features)

    def forks(self, feature: Tensor) -> None:
        self.meets(FORK, [feature])


def gradients(backward: Backward, loss: Tensor, of: Mapping[int, Sequence[Tensor]]) -> dict[int, Gradient]:
    """The gradient of a loss with respect to some tensors, by place; graph and `grad`s stay as they are.

    Not torch.autograd.grad, since Fabric lets none but its own backward go through a network in mixed precision.
    """
    tensors = {id(tensor): tensor for some in of.values() for tensor in some if tensor.requires_grad}
    with _collected(list(tensors.values())) as found:
        if tensors:
            backward(loss, inputs=list(tensors.values()), retain_graph=True)
    return {number: [found.get(id(tensor)) for tensor in some] for number, some in of.items()}


@contextmanager
def _collected(tensors: Sequence[Tensor]) -> Iterator[dict[int, Tensor]]:
    """Inside, what a backward pass brings to each tensor is kept by its id; afterwards each has the `grad` it had."""
    found: dict[int, Tensor] = {}

    def keep(number: int) -> Callable[[Tensor], None]:
        return lambda gradient: found.__setitem__(number, gradient.detach())

    had = [tensor.grad if tensor.is_leaf else None for tensor in tensors]
    for tensor in tensors:
        tensor.grad = None
    handles = [tensor.register_hook(keep(id(tensor))) for tensor in tensors]  # type: ignore[no-untyped-call]
    try:
        yield found
    finally:
        for handle, tensor, before in zip(handles, tensors, had, strict=True):
            handle.remove()
            tensor.grad = before


@torch.no_grad()
def cosine(one: Gradient, other: Gradient) -> float | None:
    """Of two gradients, each as one vector; None where one is 0 or not finite."""
    products = [0.0, 0.0, 0.0]
    for a, b in zip(one, other, strict=True):
        pairs = ((a, b), (a, a), (b, b))
        products = [
            total if x is None or y is None else total + float((x.float() * y.to(x).float()).sum(dtype=torch.float64))
            for total, (x, y) in zip(products, pairs, strict=True)
        ]
    dot, own, others = products
    length = (own * others) ** 0.5
    return max(-1.0, min(1.0, dot / length)) if 0 < length < float("inf") else None
