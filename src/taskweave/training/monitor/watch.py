"""A monitor at work on one training, and what it warned of."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, final

from torch import Tensor

from taskweave.data.sample import Batch
from taskweave.files import write_text
from taskweave.progress import Progress
from taskweave.training.monitor.cosines import Backward, Cosines, Look, Pair
from taskweave.training.monitor.monitor import Alarm, Gap, Monitor
from taskweave.weaving.connected import Connected

WARNINGS = "warnings.json"


@final
@dataclass(frozen=True)
class Warned:
    """A warning of negative transfer.

    Args:
        task: The task that suffers, or "a and b" if their gradients point apart.
        place: The connection where it was seen; "" if no cosine is known.
        since: The step from which it held.
        text: The message shown when the warning began.
        until: The step at which it ended; None if it held to the end.
    """

    task: str
    place: str
    since: int
    text: str
    until: int | None = None

    @property
    def message(self) -> str:
        return self.text if self.until is None else f"{self.text}; it ended at step {self.until}"


@final
class Ledger:
    """The warnings of a training, those that ended too, in the order in which they began."""

    def __init__(self) -> None:
        self.warned: tuple[Warned, ...] = ()
        self._open: dict[str, int] = {}

    def begin(self, key: str, warned: Warned) -> None:
        """Record a warning.

        Args:
            key: Identifies what the warning is about, for `end`.
        """
        self._open[key] = len(self.warned)
        self.warned = (*self.warned, warned)

    def end(self, key: str, step: int) -> None:
        """Note that what it warned of is over."""
        number = self._open.pop(key)
        ended = replace(self.warned[number], until=step)
        self.warned = (*self.warned[:number], ended, *self.warned[number + 1 :])

    def state_dict(self) -> dict[str, Any]:
        return {"warned": [asdict(one) for one in self.warned], "open": dict(self._open)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.warned = tuple(Warned(**one) for one in state["warned"])
        self._open = dict(state["open"])


def write_warnings(folder: Path, warned: Sequence[Warned]) -> None:
    """Write warnings to ``warnings.json`` in the training's folder, atomically.

    Raises:
        CannotSaveError: The file cannot be written.
    """
    write_text(folder / WARNINGS, json.dumps([asdict(one) for one in warned], indent=1) + "\n")


def read_warnings(folder: Path) -> tuple[Warned, ...]:
    """Read the warnings of a training's folder; () if the training was not watched.

    Raises:
        ValueError: The file is damaged.
    """
    path = folder / WARNINGS
    if not path.is_file():
        return ()
    try:
        return tuple(Warned(**one) for one in json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}); delete it: only this training's warnings are lost") from error


AGE = "age"
_COST = 25
"""Percent of a training step that a look takes for each task: benchmarks/results/transfer_monitor.md."""


@final
class Watch:
    """What a monitor has seen of a training so far; its state is saved in the training's checkpoints.

    `spent` holds the seconds that the monitor took in this step; they do not count as training time.
    """

    def __init__(
        self, monitor: Monitor, net: Connected, tasks: Sequence[str], *, folder: Path, apart: Collection[Pair] = ()
    ) -> None:
        self.monitor, self.tasks, self.folder = monitor, tuple(tasks), folder
        self.cosines = Cosines(net, tasks, every=monitor.cosine_every, apart=apart)
        self.gaps = {task: Gap(monitor.references[task], monitor.gap) for task in tasks if task in monitor.references}
        self.opposed = {
            (place.name, pair): Alarm(monitor.cosine) for place in self.cosines.places for pair in self.cosines.pairs
        }
        self.ledger = Ledger()
        self.spent = 0.0
        self._looks: list[Look] = []
        self._after = 0

    @property
    def columns(self) -> list[str]:
        """Of ``monitor.csv``; none where there is nothing to watch."""
        cosines = [_column(place.name, pair) for place in self.cosines.places for pair in self.cosines.pairs]
        return [*(f"gap.{task}" for task in self.gaps), *cosines, *([AGE] if self.cosines.apart else [])]

    def describe(self, *, steps: int, log_every: int) -> str:
        """In one line: what is watched, what it costs, and what a training of so many steps is too short for."""
        said = [f"gap of {task} to {gap.reference.of}" for task, gap in self.gaps.items()]
        short, rows = list[str](), -(-steps // log_every)  # the last step has a row of its own
        if self.gaps and rows < self.monitor.gap.least:
            short.append(f"of a gap ({rows} rows of the log, {self.monitor.gap.least} needed)")
        if self.cosines.pairs:
            places = ", ".join(place.name for place in self.cosines.places)
            every, least = self.monitor.cosine_every, self.monitor.cosine.least
            cost = f"about {_COST * len(self.tasks) / every:.2g} % more time"
            said.append(f"gradient cosines at {places} every {every} steps ({cost}, see docs/transfer.md)")
            if steps // every < least:
                short.append(f"of a place ({steps // every} looks, {least} needed)")
        said += [f"too short to warn {' or '.join(short)}"] if short else []
        return f"negative transfer: watching {'; '.join([*(said or ['nothing']), *self.monitor.notes])}"

    def begin(self, step: int) -> None:
        """Training step number `step`, counted from 1, begins."""
        self.spent = 0.0
        self.cosines.begin(step)

    def watching(self) -> AbstractContextManager[None]:
        """Around the forward pass of a batch."""
        return self.cosines.watching()

    def look(self, losses: Mapping[str, Tensor], batch: Batch, backward: Backward) -> None:
        """After the forward pass, before its graph is used up."""
        begun = time.perf_counter()
        self._looks += self.cosines.look(losses, batch, backward)
        self.spent += time.perf_counter() - begun

    def report(self, step: int, losses: Mapping[str, float] | None, progress: Progress) -> dict[str, float]:
        """Return the row of ``monitor.csv`` for training step `step`; report and store warnings that begin.

        Args:
            step: Number of the step that has just ended, counted from 1.
            losses: Losses in the log's row of this step; None if the log has no row for it.
        """
        before = self.ledger.warned
        row = self._cosines(step)
        if losses is not None:
            row = {**self._gaps(step, losses), **row}
        for warned in self.ledger.warned[len(before) :]:
            progress.note(f"negative transfer: {warned.text}")
        if self.ledger.warned != before:
            self.write()
        return row

    def _cosines(self, step: int) -> dict[str, float]:
        looks, self._looks = self._looks, []
        for look in looks:
            alarm = self.opposed[look.place, look.pair]
            change = alarm.add(step, -look.value)
            key = _column(look.place, look.pair)
            if change == "begins":
                self.ledger.begin(key, _opposed(look, alarm))
            elif change == "ends":
                self.ledger.end(key, step)
        row = {_column(look.place, look.pair): look.value for look in looks}
        return {**row, AGE: max(look.age for look in looks)} if looks and self.cosines.apart else row

    def _gaps(self, step: int, losses: Mapping[str, float]) -> dict[str, float]:
        row = {}
        for task, gap in self.gaps.items():
            if task not in losses:
                continue
            compared, change = gap.add(self._after, step, losses[task])
            if compared:
                row[f"gap.{task}"] = gap.value
            if change == "begins":
                self.ledger.begin(f"gap.{task}", self._behind(task, gap))
            elif change == "ends":
                self.ledger.end(f"gap.{task}", step)
        self._after = step
        return row

    def _behind(self, task: str, gap: Gap) -> Warned:
        """The warning of a gap: its place is where the task's gradient has lately agreed least with another's."""
        own = {key: alarm for key, alarm in self.opposed.items() if task in key[1] and alarm.recent}
        assert gap.alarm.since is not None
        text = f"the loss of {task} is {gap.value:+.0%} from that of {gap.reference.of} since step {gap.alarm.since}"
        if not own:
            return Warned(task, "", gap.alarm.since, f"{text}; no gradients were compared")
        (place, pair), worst = max(own.items(), key=lambda item: item[1].mean)
        (other,) = set(pair) - {task}
        cosine = f"cosine {-worst.mean:+.2f} with {other}, mean of the last {len(worst.recent)}"
        return Warned(task, place, gap.alarm.since, f"{text}; its gradient agrees least at {place} ({cosine})")

    def write(self) -> None:
        """Write ``warnings.json`` to the folder.

        Raises:
            CannotSaveError: The file cannot be written.
        """
        write_warnings(self.folder, self.ledger.warned)

    def state_dict(self) -> dict[str, Any]:
        """Plain values and tensors."""
        return {
            "cosines": self.cosines.state_dict(),
            "gaps": {task: gap.alarm.state_dict() for task, gap in self.gaps.items()},
            "opposed": {_column(*key): alarm.state_dict() for key, alarm in self.opposed.items()},
            "ledger": self.ledger.state_dict(),
            "after": self._after,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Of the same training; a gap that was not watched then begins anew."""
        self.cosines.load_state_dict(state["cosines"])
        for task, gap in self.gaps.items():
            if task in state["gaps"]:
                gap.alarm.load_state_dict(state["gaps"][task])
        for key, alarm in self.opposed.items():
            if _column(*key) in state["opposed"]:
                alarm.load_state_dict(state["opposed"][_column(*key)])
        self.ledger.load_state_dict(state["ledger"])
        self._after = state["after"]


def _opposed(look: Look, alarm: Alarm) -> Warned:
    assert alarm.since is not None
    both = " and ".join(look.pair)
    mean = f"their cosine is {-alarm.mean:+.2f}, mean of the last {len(alarm.recent)}"
    text = f"the gradients of {both} point apart at {look.place} since step {alarm.since}: {mean}"
    return Warned(both, look.place, alarm.since, text)


def _column(place: str, pair: Pair) -> str:
    return f"cosine.{place}.{'|'.join(pair)}"
