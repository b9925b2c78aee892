"""Two sweeps on one folder at once, a killed one, and one in several processes: every run trained once, nothing broken."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from experiments.tiny import Told, tiny

from taskweave.experiments.bench import Bench
from taskweave.experiments.comparison import compare
from taskweave.experiments.launch.failures import read_failure
from taskweave.experiments.launch.launcher import Place
from taskweave.experiments.launch.processes import Processes
from taskweave.experiments.plan import all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.running import folder_of
from taskweave.experiments.sweeps.axes import axis_named
from taskweave.experiments.sweeps.axis import Sweep
from taskweave.experiments.sweeps.sweep import sweep
from taskweave.progress import StopSignal
from taskweave.reporting import write_charts
from taskweave.results.comparison import ComparisonResult
from taskweave.results.run_files import RunRecord
from taskweave.training.weights import read_state

pytestmark = pytest.mark.slow

NO_PICTURES = {"batch_size": 4, "pictures": 0}

SWEEP = """
import os, sys, time
from pathlib import Path
from taskweave.experiments import running
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.sweeps.axes import axis_named
from taskweave.experiments.sweeps.sweep import sweep
place, sleeps = Path(sys.argv[1]), float(sys.argv[2])
fit = running._fit
def noted(run, *arguments, **options):
    with (place / "trained.log").open("a") as log:
        log.write(f"{os.getpid()} {run.digest}\\n")
    time.sleep(sleeps)
    return fit(run, *arguments, **options)
running._fit = noted
recipe = Recipe.from_yaml(place / "tiny.yaml")
(place / f"ready-{os.getpid()}").touch()
while not (place / "begin").exists():
    time.sleep(0.02)
done = sweep(axis_named("split").of(recipe, values=["layer4"]), folder=place / "out")
assert done.finished, done
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))


def quick(**changes: Any) -> Recipe:
    return tiny(evaluation=NO_PICTURES, **changes)


def split(recipe: Recipe) -> Sweep:
    return axis_named("split").of(recipe, values=["layer4"])


def begin(script: str, place: Path, argument: object) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", script, str(place), str(argument)], stderr=subprocess.PIPE, text=True)


def wait_for(there: Any, *processes: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + 120
    while not there():
        assert time.monotonic() < until
        for process in processes:
            assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)


def check_whole(root: Path) -> None:
    """Every file of JSON and every record can be read; nothing half-written is left."""
    for path in root.rglob("*.json"):
        json.loads(path.read_text())
    assert not list(root.rglob("*.part")) and not list(root.rglob("*.pt"))
    assert not list(root.glob(".workers-*"))
    for path in (root / "runs").iterdir():
        RunRecord.model_validate_json((path / "run.json").read_text())
        assert read_state(path / "weights.safetensors")


def test_two_sweeps_at_once_train_no_run_twice(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(quick().to_yaml())
    two = [begin(SWEEP, tmp_path, 0.5) for _ in range(2)]
    wait_for(lambda: len(list(tmp_path.glob("ready-*"))) == 2, *two)
    (tmp_path / "begin").touch()
    for process in two:
        said = process.communicate(timeout=200)[1]
        assert process.returncode == 0, said
    lines = [line.split() for line in (tmp_path / "trained.log").read_text().splitlines()]
    swept = split(quick())
    assert Counter(digest for _, digest in lines) == {run.digest: 1 for run in all_runs(entries(swept.recipe))}
    assert {int(process) for process, _ in lines} == {process.pid for process in two}, "both had something to do"
    check_whole(tmp_path / "out")
    shared = ComparisonResult.load(tmp_path / "out" / "tiny-sweep-split" / "comparison.json")
    lone = sweep(swept, folder=tmp_path / "lone").result
    assert [row.metrics for row in shared.rows] == [row.metrics for row in lone.rows]
    assert shared.constant == lone.constant
    write_charts(tmp_path / "lone" / "tiny-sweep-split")
    assert (tmp_path / "lone" / "tiny-sweep-split" / "charts" / "sweep-split.svg").is_file()


HANG = """
import sys, time
from pathlib import Path
from taskweave.experiments.comparison import compare
from taskweave.experiments.recipe import Recipe
from taskweave.training import loop
place = Path(sys.argv[1])
step = loop.train_step
def hangs(run, batches):
    if run.step == int(sys.argv[2]):
        (place / "hangs").touch()
        time.sleep(100)
    step(run, batches)
loop.train_step = hangs
compare(Recipe.from_yaml(place / "tiny.yaml"), folder=place / "out")
"""


def long(**changes: Any) -> Recipe:
    """One training of four steps, saved after each."""
    how = {"steps": 4, "batch_size": 2, "precision": "32", "checkpoint_every": 1}
    task = {"segmentation": {"loss_resolution": "eighth"}}
    return quick(methods=[], tasks=task, training={"single": how, "connected": how}, **changes)


class Begun(Told):
    """Remembers from which step on trainings began."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[int] = []

    def begin(self, what: str, total: int, *, done: int = 0) -> None:
        super().begin(what, total, done=done)
        if what == "training":
            self.done.append(done)


def test_a_killed_processs_run_is_taken_over_where_it_stopped(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(long().to_yaml())
    other = begin(HANG, tmp_path, 3)
    wait_for((tmp_path / "hangs").exists, other)
    waits = compare(long(), folder=tmp_path / "out", max_minutes=0.02, progress=(told := Told()))
    assert waits.state == "deadline" and told.trainings == 0
    assert any(f"trained already by process {other.pid} on " in note for note in told.notes)
    other.send_signal(signal.SIGKILL)
    other.communicate()
    done = compare(long(), folder=tmp_path / "out", progress=(begun := Begun()))
    assert done.finished
    assert begun.done == [3], "three steps were saved"
    check_whole(tmp_path / "out")


def test_a_process_that_dies_marks_its_run_failed(tmp_path: Path) -> None:
    recipe = long()
    (run,) = all_runs(entries(recipe))
    place = Place(Bench(recipe), tmp_path, StopSignal(), Told())
    with Processes(2).opened(place) as workers:
        workers.start(run)
        os.kill(workers._busy[0]._process.pid, signal.SIGKILL)  # type: ignore[attr-defined]
        (ended,) = until_one_ends(workers)
        assert ended.how == "failed"
        note = read_failure(folder_of(run, tmp_path))
        assert note is not None and "exit code -9" in note.reason and "memory" in note.reason
        assert workers.free and workers.under_way == ()


def until_one_ends(workers: Any) -> list[Any]:
    until = time.monotonic() + 120
    while not (ended := workers.ended(0.5)):
        assert time.monotonic() < until
    return list(ended)
