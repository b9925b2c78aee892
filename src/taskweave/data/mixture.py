"""Several data sets, each labelling some of the tasks, as one to train on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate, combinations
from typing import Any, final

from torch.utils.data import Dataset

from taskweave.data.dataset import LabelledSet
from taskweave.data.facts import names_of
from taskweave.data.mixture_order import MixtureOrder, MixtureSchedule, Reach, Turns, reach
from taskweave.data.sample import Sample
from taskweave.data.transformed import Transformed


@final
class Mixture(Dataset[Sample]):
    """Data sets by name, and a schedule of which of them gives the next batch.

    Its samples are those of the sets in a row; each carries its set's name as ``source``, also in its key. Which batch
    reads which samples depends on the seed and the number of the batch alone, so a training resumes inside any epoch.

    Args:
        sets: Each with its own transform.
        schedule: `ConstantInterval`, `RoundRobin`, `Proportional` or `Temperature`. Its turns are batches, so with
            ``accumulate`` one optimiser step may hold batches of several sets.
        use: {set: the labels taken from it}; a set that is not named gives all it has.
        batch_sizes: {set: samples per batch}, instead of the training's batch size.
        mixed: Batches hold samples of several sets, which need one image size; then turns are samples. Networks run on all
            images of a batch and losses count those that are labelled, so a batch norm in a task's head sees the others.
    """

    def __init__(
        self,
        sets: Mapping[str, Transformed],
        schedule: MixtureSchedule,
        *,
        use: Mapping[str, Collection[str]] | None = None,
        batch_sizes: Mapping[str, int] | None = None,
        mixed: bool = False,
    ) -> None:
        self.sets, self.schedule, self.mixed = dict(sets), schedule, mixed
        self.batch_sizes = dict(batch_sizes or {})
        datasets = {name: part.dataset for name, part in sets.items()}
        self.use = {name: tuple(dataset.labels) for name, dataset in datasets.items()}
        self.use |= {name: tuple(labels) for name, labels in (use or {}).items()}
        check_sets(datasets, self.use)
        self._check_batch_sizes()
        self._ends = list(accumulate(len(part) for part in sets.values()))
        next(self.turns(1, seed=0).__iter__())  # a schedule that does not fit these sets says so now

    def _check_batch_sizes(self) -> None:
        if unknown := sorted(set(self.batch_sizes) - set(self.sets)):
            raise ValueError(f"batch_sizes names {unknown}; the data sets of the mixture are {list(self.sets)}")
        if small := {name: size for name, size in self.batch_sizes.items() if size < 1}:
            raise ValueError(f"batch_sizes must be at least 1, got {small}")
        if self.mixed and self.batch_sizes:
            raise ValueError(
                "batch_sizes are for batches of one data set; in mixed ones ConstantInterval(batches={set: samples}) says "
                "how many of each come in turn"
            )

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, at: int | tuple[int, int]) -> Sample:
        """The sample `at` = (index, draw), or at index with draw 0."""
        index, draw = (at, 0) if isinstance(at, int) else at
        if not 0 <= index < len(self):
            raise IndexError(f"index {index} is outside 0..{len(self) - 1} of the mixture")
        position = bisect_right(self._ends, index)
        name = list(self.sets)[position]
        part = self.sets[name]
        sample = part[index - self._ends[position] + len(part), draw]
        left_out = set(part.dataset.labels) - set(self.use[name])
        kept = {key: value for key, value in sample.items() if key not in left_out}
        return {**kept, "key": f"{name}/{sample['key']}", "source": name}

    @property
    def labels(self) -> tuple[str, ...]:
        """The tasks that some data set is labelled for."""
        return tuple(dict.fromkeys(task for tasks in self.use.values() for task in tasks))

    @property
    def sizes(self) -> dict[str, int]:
        """Samples of each data set."""
        return {name: len(part) for name, part in self.sets.items()}

    def ranges(self) -> Iterator[range]:
        """The indices of each data set in turn."""
        for part, end in zip(self.sets.values(), self._ends, strict=True):
            yield range(end - len(part), end)

    def turns(self, batch_size: int, *, seed: int) -> Turns:
        """Whose turn it is, where a batch has `batch_size` samples unless `batch_sizes` says otherwise."""
        per_turn = {name: 1 if self.mixed else self.batch_sizes.get(name, batch_size) for name in self.sets}
        return Turns(self.sizes, self.schedule, per_turn, batch_size if self.mixed else 1, seed, self._blocks())

    def order(self, batch_size: int, *, seed: int, first: int, last: int) -> MixtureOrder:
        """The samples of the batches number `first`..`last` - 1."""
        return MixtureOrder(self.turns(batch_size, seed=seed), first=first, last=last)

    def reach(self, batch_size: int, *, seed: int, batches: int) -> Reach:
        """How far so many batches read."""
        return reach(self.turns(batch_size, seed=seed), batches)

    def check_labelled(self, wanted: Collection[str], *, visited: Collection[str] | None = None) -> None:
        """Raise ValueError for a task that no data set is labelled for, or none of those that a training visits."""
        check_labelled(self.use, wanted)
        if visited is not None:
            check_visited(self.use, wanted, visited=visited)

    def _blocks(self) -> dict[str, tuple[Sequence[int], ...]]:
        return {name: part.dataset.blocks for name, part in self.sets.items()}

    def determining(self) -> dict[str, Any]:
        """What it is known by, as JSON values; the pictures themselves left out."""
        blocks = {name: len(found) for name, found in self._blocks().items() if found}
        return {
            **({"blocks": blocks} if blocks else {}),
            "schedule": self.schedule.determining(),
            "sizes": self.sizes,
            "use": {name: list(tasks) for name, tasks in self.use.items()},
            "batch_sizes": self.batch_sizes,
            "mixed": self.mixed,
        }


def check_sets(sets: Mapping[str, LabelledSet], used: Mapping[str, Collection[str]]) -> None:
    """Raise ValueError for no data sets, an empty one, labels that one does not have, or two that disagree on a task."""
    if not sets:
        raise ValueError("a Mixture needs at least one data set, got none")
    if empty := [name for name, dataset in sets.items() if len(dataset) == 0]:
        raise ValueError(f"the data sets {empty} of the mixture are empty; check the folders and the splits")
    if unknown := sorted(set(used) - set(sets)):
        raise ValueError(f"use= names {unknown}; the data sets of the mixture are {list(sets)}")
    for name, dataset in sets.items():
        if missing := sorted(set(used[name]) - set(dataset.labels)):
            raise ValueError(f"data set {name!r} has no labels {missing} to use; it has {list(dataset.labels)}")
    for (one, first), (other, second) in combinations(sets.items(), 2):
        for task in used[one]:
            if task in used[other]:
                _check_vocabulary(task, one, names_of(first, task), other, names_of(second, task))


def _check_vocabulary(task: str, one: str, first: Sequence[str], other: str, second: Sequence[str]) -> None:
    """Names of a task's classes in two sets; none for a task without, or of a data set that does not say."""
    if not first or not second or first == second:
        return
    longest = max(len(first), len(second))
    at = next(i for i in range(longest) if first[i : i + 1] != second[i : i + 1])
    a, b = (repr(names[at]) if at < len(names) else "nothing" for names in (first, second))
    raise ValueError(
        f"data sets {one!r} and {other!r} define task {task!r} with different classes: {one!r} has {len(first)}, "
        f"{other!r} has {len(second)}, and class {at} is {a} in {one!r}, {b} in {other!r}; read both with the same "
        f"classes, or take the task from one of them only: use={{{other!r}: (...)}}"
    )


def check_labelled(used: Mapping[str, Collection[str]], wanted: Collection[str]) -> None:
    """Raise ValueError for a wanted task that no data set is labelled for."""
    known = {task for tasks in used.values() for task in tasks}
    if missing := [task for task in wanted if task not in known]:
        has = "; ".join(f"{name!r} is labelled for {sorted(tasks)}" for name, tasks in used.items())
        raise ValueError(
            f"no data set of the mixture is labelled for {missing}: {has}. Add a data set with these labels, or leave the "
            "tasks out with trained="
        )


def check_visited(used: Mapping[str, Collection[str]], wanted: Collection[str], *, visited: Collection[str]) -> None:
    """Raise ValueError for a wanted task whose data sets are never read in a training."""
    reached = {task for name in visited for task in used[name]}
    if missing := [task for task in wanted if task not in reached]:
        raise ValueError(
            f"this training reads only the data sets {sorted(visited)} of the mixture, and none labelled for {missing}; "
            "train for more steps, or switch between data sets sooner"
        )
