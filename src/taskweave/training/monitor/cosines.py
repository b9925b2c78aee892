"""Which way the gradients of tasks point where the tasks meet: one round of looks after another."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import combinations
from typing import Any, NamedTuple, final

from torch import Tensor

from taskweave.data.mixture import Mixture
from taskweave.data.sample import Batch
from taskweave.training.batches import Samples
from taskweave.training.monitor.places import Backward, Gradient, Seen, cosine, gradients, places_of
from taskweave.weaving.connected import Connected, watching

Pair = tuple[str, str]


class Look(NamedTuple):
    """One cosine. age: steps between the batches of the two gradients."""

    place: str
    pair: Pair
    value: float
    age: int


@final
class Cosines:
    """From a step that is due on, every pair of tasks is looked at once: where one batch labels both, at features.

    Where that takes longer than until the next step that is due, the next look begins at the first one after it.

    apart: the pairs that no batch labels together; their gradients are with respect to weights, each from the first batch
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
