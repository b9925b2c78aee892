"""In which order runs are tried, with workers that only say what became of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from experiments.tiny import Told, tiny

from taskweave.experiments.bench import Bench
from taskweave.experiments.launch import scheduling
from taskweave.experiments.launch.failures import FailureNote, write_failure
from taskweave.experiments.launch.launcher import Ended, How, Launcher, Place, Workers
from taskweave.experiments.launch.scheduling import train_all
from taskweave.experiments.plan import Run, all_runs, entries
from taskweave.experiments.running import folder_of
from taskweave.progress import StopSignal

RUNS = all_runs(entries(tiny(methods=[{"use": "cross_stitch"}, {"use": "shared", "until": "layer4"}])))
A, B, STITCHED, SHARED = RUNS
Answer = Callable[[Run], How]


class Faked(Launcher, Workers):
    """Workers who answer by a function; `stored` are the runs that are there."""

    def __init__(self, answer: Answer, *, places: int = 1) -> None:
        self.answer, self.places = answer, places
        self.tried: list[Run] = []
        self.stored: set[str] = set()
        self.asked = 0
        self._now: list[Run] = []

    @contextmanager
    def opened(self, place: Place) -> Iterator[Workers]:
        yield self

    @property
    def free(self) -> bool:
        return len(self._now) < self.places

    @property
    def under_way(self) -> tuple[Run, ...]:
        return tuple(self._now)

    def start(self, run: Run) -> None:
        assert self.free
        assert all(parent.digest in self.stored for parent in run.parents), f"{run.title} before its parents"
        self.tried.append(run)
        self._now.append(run)

    def ended(self, seconds: float) -> list[Ended]:
        if not self._now:
            return []
        run = self._now.pop(0)
        how = self.answer(run)
        if how == "stored":
            self.stored.add(run.digest)
        return [Ended(run, how)]

    def ask_to_stop(self) -> None:
        self.asked += 1


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    monkeypatch.setattr(scheduling, "_LOOK", 0.0)

    def go(workers: Faked, *, stop: StopSignal | None = None, told: Told | None = None) -> object:
        monkeypatch.setattr(
            scheduling, "find_record", lambda run, folder: object() if run.digest in workers.stored else None
        )
        return train_all(RUNS, workers, Place(Bench(tiny()), tmp_path, stop or StopSignal(), told or Told()))

    return go


def test_parents_first_and_each_once(train: Callable[..., object]) -> None:
    workers = Faked(lambda run: "stored")
    assert train(workers) is None
    assert workers.tried == [A, B, STITCHED, SHARED]


def test_several_at_once(train: Callable[..., object]) -> None:
    workers = Faked(lambda run: "stored", places=3)
    assert train(workers) is None
    assert workers.tried[:3] == [A, B, SHARED], "what needs nothing goes before what must wait"
    assert workers.tried[3:] == [STITCHED]


def test_what_is_stored_is_not_tried(train: Callable[..., object]) -> None:
    workers = Faked(lambda run: "stored")
    workers.stored |= {A.digest, SHARED.digest}
    train(workers)
    assert workers.tried == [B, STITCHED]


def test_a_failed_run_takes_what_needs_it_and_nothing_else(train: Callable[..., object], tmp_path: Path) -> None:
    def answer(run: Run) -> How:
        if run is B:
            write_failure(folder_of(run, tmp_path), FailureNote(title=run.title, reason="too hot"))
            return "failed"
        return "stored"

    workers, told = Faked(answer), Told()
    assert train(workers, told=told) is None
    assert workers.tried == [A, B, SHARED]
    assert any("failed: too hot" in note for note in told.notes)


def test_others_first_while_another_process_trains_one(train: Callable[..., object]) -> None:
    """It is waited for, said so once, and its stored result taken."""
    workers = Faked(lambda run: "stored")

    def answer(run: Run) -> How:
        if run is not A:
            return "stored"
        if workers.tried.count(A) < 3:
            return "busy"
        workers.stored.add(A.digest)  # the other process is done
        return "busy"

    workers.answer = answer
    told = Told()
    assert train(workers, told=told) is None
    assert workers.tried[:3] == [A, B, SHARED]
    assert workers.tried[-1] is STITCHED
    assert workers.tried.count(A) == 3, "asked again until it was there, never trained here"
    assert len([note for note in told.notes if "trained already by" in note]) == 1


def test_a_run_that_fails_elsewhere_fails_here(train: Callable[..., object], tmp_path: Path) -> None:
    """Also where it fails as it did before this call."""
    own = folder_of(A, tmp_path)
    write_failure(own, FailureNote(title=A.title, reason="too hot"))
    workers = Faked(lambda run: "stored")

    def answer(run: Run) -> How:
        if run is not A:
            return "stored"
        if workers.tried.count(A) == 2:
            write_failure(own, FailureNote(title=A.title, reason="too hot"))
        return "busy"

    workers.answer = answer
    assert train(workers) is None
    assert workers.tried.count(A) == 2
    assert STITCHED not in workers.tried and SHARED in workers.tried


def test_a_dead_processs_run_is_taken_over(train: Callable[..., object]) -> None:
    workers = Faked(lambda run: "stored")
    workers.answer = lambda run: "busy" if run is A and workers.tried.count(A) < 2 else "stored"
    assert train(workers) is None
    assert workers.stored == {run.digest for run in RUNS}


class Slow(Faked):
    """Who stores a run some time before saying so, as workers in other processes do."""

    def ended(self, seconds: float) -> list[Ended]:
        if self._now and self._now[0].digest not in self.stored and self.answer(self._now[0]) == "stored":
            self.stored.add(self._now[0].digest)
            return []
        return super().ended(seconds)


def test_a_run_that_was_anothers_and_is_taken_over_ends_once(train: Callable[..., object]) -> None:
    workers = Slow(lambda run: "stored")
    workers.answer = lambda run: "busy" if run is A and workers.tried.count(A) < 2 else "stored"
    told = Told()
    assert train(workers, told=told) is None
    assert workers.tried.count(A) == 2
    assert workers.stored == {run.digest for run in RUNS}
    assert told.steps == len(RUNS), "each is counted once"


def test_stopped_it_starts_no_more_and_waits_for_those_under_way(train: Callable[..., object]) -> None:
    stop = StopSignal()

    def answer(run: Run) -> How:
        stop.ask()
        return "stopped"

    workers = Faked(answer, places=2)
    assert train(workers, stop=stop) == "interrupted"
    assert workers.tried == [A, B]
    assert workers.asked == 1
    assert workers.under_way == ()
