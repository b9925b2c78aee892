"""Which way the gradients of tasks point where the tasks meet: the places, and one round of looks after another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple, Protocol, final

import torch
from torch import Tensor

from taskweave.data.mixture import Mixture
from taskweave.data.sample import Batch
from taskweave.training.batches import Samples
from taskweave.weaving.connected import Connected, watching

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
    """A connection where two or more streams meet, or the end of a shared trunk.

    Args:
        name: The stage, or "<stream>.<stage>+..." if the streams meet at different stages.
        number: Number of the connection, or `FORK`.
        weights: Weights of the last convolution or linear layer of each stream before the connection. The unit's own
            weights would not do: one stream's output often has rows of its own in them, where no two tasks' gradients meet.
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


Pair = tuple[str, str]


class Look(NamedTuple):
    """One measured cosine.

    Args:
        place: Name of the `Place`.
        age: Steps between the batches that the two gradients are from.
    """

    place: str
    pair: Pair
    value: float
    age: int


@final
class Cosines:
    """Compare the gradients of every pair of tasks, once per round.

    A round begins every `every` steps. It compares each pair on the first batch with an image labelled for both tasks, by
    their gradients with respect to features. If a round is not complete when the next is due, the next begins at the first
    due step after it.

    Args:
        every: Steps between rounds; 0 for none.
        apart: Pairs that no batch labels together. Their gradients are with respect to weights, each from the first batch
            that labels the task.
    """

    def __init__(self, net: Connected, tasks: Sequence[str], *, every: int, apart: Collection[Pair] = ()) -> None:
        self.places = places_of(net) if every else ()
        self.pairs: tuple[Pair, ...] = tuple(combinations(tasks, 2)) if self.places else ()
        self.apart = set(apart) & set(self.pairs)
        self._net, self._every = net, every
        self._due: list[Pair] = []
        self._latest: dict[str, tuple[int, dict[int, Gradient]]] = {}
        self._seen = Seen()
        self._step = 0

    def begin(self, step: int) -> None:
        """Training step number `step`, counted from 1, begins."""
        if self.pairs and step % self._every == 0 and not self._due:
            self._due = list(self.pairs)
        self._step = step

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Inside, the features that meet in the network's forward pass are noted, where they are to be looked at."""
        self._seen = Seen()
        with watching(self._net, self._seen if any(pair not in self.apart for pair in self._due) else None):
            yield

    def look(self, losses: Mapping[str, Tensor], batch: Batch, backward: Backward) -> list[Look]:
        """What a batch shows, before its graph is used up; nothing where no pair is due."""
        if not self._due:
            return []
        own = {name: loss for name, loss in losses.items() if loss.requires_grad and name in batch.rows}
        looks = [*self._at_features(own, batch, backward), *self._at_weights(own, backward)]
        self._seen = Seen()
        return looks

    def _at_features(self, losses: Mapping[str, Tensor], batch: Batch, backward: Backward) -> list[Look]:
        pairs = [pair for pair in self._due if pair not in self.apart and _together(pair, losses, batch)]
        needed = dict.fromkeys(name for pair in pairs for name in pair)
        found = {name: gradients(backward, losses[name], self._seen.features) for name in needed}
        return [look for pair in pairs for look in self._compared(pair, found[pair[0]], found[pair[1]], age=0)]

    def _at_weights(self, losses: Mapping[str, Tensor], backward: Backward) -> list[Look]:
        wanted = {name for pair in self._due if pair in self.apart for name in pair} - set(self._latest)
        for name in (name for name in losses if name in wanted):
            weights = {place.number: place.weights for place in self.places}
            self._latest[name] = self._step, gradients(backward, losses[name], weights)
        looks: list[Look] = []
        for pair in [pair for pair in self._due if pair in self.apart and set(pair) <= set(self._latest)]:
            (first, one), (second, other) = self._latest[pair[0]], self._latest[pair[1]]
            looks += self._compared(pair, one, other, age=abs(first - second))
        if not any(pair in self.apart for pair in self._due):
            self._latest = {}
        return looks

    def _compared(self, pair: Pair, one: Mapping[int, Gradient], other: Mapping[int, Gradient], *, age: int) -> list[Look]:
        self._due.remove(pair)  # also where no cosine is defined: the next round tries again
        found = [(place.name, cosine(one.get(place.number, []), other.get(place.number, []))) for place in self.places]
        return [Look(name, pair, value, age) for name, value in found if value is not None]

    def state_dict(self) -> dict[str, Any]:
        return {"due": [list(pair) for pair in self._due], "latest": self._latest}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Of the same network and tasks."""
        self._due = [(one, other) for one, other in state["due"] if (one, other) in self.pairs]
        self._latest = dict(state["latest"])


def _together(pair: Pair, losses: Mapping[str, Tensor], batch: Batch) -> bool:
    """Whether both tasks have a loss of some picture of the batch; else their gradients lie on different pictures."""
    if not set(pair) <= set(losses):
        return False
    one, other = (set(batch.rows[name].tolist()) for name in pair)
    return bool(one & other)


def never_together(train: Samples, tasks: Sequence[str]) -> tuple[Pair, ...]:
    """The pairs of tasks that no data set of a mixture labels both."""
    if not isinstance(train, Mixture):
        return ()
    return tuple(pair for pair in combinations(tasks, 2) if not any(set(pair) <= set(own) for own in train.use.values()))
