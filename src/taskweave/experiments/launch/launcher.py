"""What trains runs: the interface of all ways to do so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, final

from taskweave.experiments.bench import Bench
from taskweave.experiments.plan import Run
from taskweave.progress import Progress, StopSignal

How = Literal["stored", "stopped", "failed", "busy"]
"""stored: it is there. stopped: it was asked to stop, and goes on there. failed: ``failed.json`` says why. busy: another
process trains it."""


@final
@dataclass(frozen=True)
class Ended:
    """What became of a run that was started."""

    run: Run
    how: How


@final
@dataclass(frozen=True)
class Place:
    """Where and for whom runs are trained. folder: of all results.  stop: when set, every training is to stop."""

    bench: Bench
    folder: Path
    stop: StopSignal
    progress: Progress


class Workers(ABC):
    """Those who train, at work."""

    @property
    @abstractmethod
    def free(self) -> bool:
        """Whether one more run can be started now."""

    @property
    @abstractmethod
    def under_way(self) -> tuple[Run, ...]:
        """The runs that were started and have not ended."""

    @abstractmethod
    def start(self, run: Run) -> None:
        """Train a run whose parents are stored. Only where `free`."""

    @abstractmethod
    def ended(self, seconds: float) -> list[Ended]:
        """The runs that ended since the last call; waits so long for one at most.

        Raises what concerns all runs: data that went away, a full disk, a worker that does not see the folder.
        """

    @abstractmethod
    def ask_to_stop(self) -> None:
        """Every training is to stop at its next resumable point, and will be among the `ended`."""


class Launcher(ABC):
    """A way to train runs. The constructor starts nothing."""

    @abstractmethod
    def opened(self, place: Place) -> AbstractContextManager[Workers]:
        """Workers while inside; on leaving none is left at work."""
