"""A run that cannot be trained leaves the others alone, is named, and is tried again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli.test_commands import taskweave
from experiments.tiny import Told, content, tiny

from taskweave.experiments import running
from taskweave.experiments.comparison import compare
from taskweave.experiments.plan import Run, all_runs, entries
from taskweave.files import CannotSaveError
from taskweave.reporting.tables import table_of
from taskweave.results.comparison import ComparisonResult

pytestmark = pytest.mark.slow

QUICK: dict[str, Any] = {"evaluation": {"batch_size": 4, "pictures": 0}}
METHODS = [{"use": "cross_stitch"}, {"use": "shared", "until": "layer4"}]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def broken(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exception]]:
    """What the training of segmentation alone raises; nothing where the list is empty."""
    monkeypatch.setenv("TASKWEAVE_CACHE", str(cache))
    errors: list[Exception] = []
    fit = running._fit

    def fails(run: Run, *arguments: object, **options: object) -> object:
        if errors and run.schedule == "single" and run.trained == ("segmentation",):
            raise errors[0]
        return fit(run, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(running, "_fit", fails)
    yield errors


def test_the_others_are_trained_and_the_failure_is_named(broken: list[Exception], tmp_path: Path) -> None:
    broken.append(RuntimeError("CUDA out of memory"))
    recipe, told = tiny(methods=METHODS, **QUICK), Told()
    done = compare(recipe, folder=tmp_path, progress=told)
    assert done.state == "failed" and not done.finished
    assert told.trainings == 2, "normals alone and the shared network; cross-stitch has nothing to begin with"
    assert done.result.methods == ("shared until layer4",)
    failed = {(f.method, f.seed): f.reason for f in done.result.failed}
    alone = "single segmentation, seed 0: CUDA out of memory"
    assert failed == {("single", 0): alone, ("cross-stitch", 0): f"its single-task network failed: {alone}"}
    assert done.result.missing == ()
    assert ComparisonResult.load(done.folder / "comparison.json").failed == done.result.failed
    assert table_of(done.result).lines, "what is there is a table"
    own = tmp_path / "runs" / all_runs(entries(recipe))[0].digest
    note = json.loads((own / "failed.json").read_text())
    assert note["reason"] == "CUDA out of memory"
    assert note["last_line"] == "RuntimeError: CUDA out of memory"
    assert not (own / "run.json").exists()

    broken.clear()
    again = compare(recipe, folder=tmp_path, progress=(told := Told()))
    assert again.finished and again.result.failed == ()
    assert told.trainings == 2, "segmentation alone and cross-stitch"
    assert not (own / "failed.json").exists()


def test_a_diverged_training_says_at_which_step(broken: list[Exception], tmp_path: Path) -> None:
    how = {"steps": 2, "batch_size": 2, "precision": "32", "optimizer": {"use": "sgd", "lr": 1e30}}
    recipe = tiny(methods=[], training={"single": how, "connected": how}, **QUICK)
    done = compare(recipe, folder=tmp_path)
    assert done.state == "failed" and done.result.rows == ()
    assert [(f.method, f.run) for f in done.result.failed] == [("single", run.digest) for run in all_runs(entries(recipe))]
    note = json.loads((tmp_path / "runs" / done.result.failed[0].run / "failed.json").read_text())
    assert note["step"] == 1, "the first step blew the weights up, the second (number 1) saw it"
    assert "lower optimizer.lr" in note["reason"].lower()


@pytest.mark.parametrize("error", [CannotSaveError("no space left"), FileNotFoundError("the data went away")])
def test_what_concerns_every_run_still_stops(broken: list[Exception], error: Exception, tmp_path: Path) -> None:
    broken.append(error)
    with pytest.raises(type(error), match=str(error)):
        compare(tiny(**QUICK), folder=tmp_path)
    assert not list(tmp_path.rglob("failed.json"))


def test_the_command_says_what_failed_and_its_exit_code_too(broken: list[Exception], tmp_path: Path) -> None:
    import yaml

    broken.append(ValueError("boxes [outside] the image"))
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(content(**QUICK)))
    said = taskweave("compare", "tiny.yaml", "--out", "out", cwd=tmp_path)
    assert said.returncode == 4
    assert "failed: single, seed 0: single segmentation, seed 0: boxes [outside] the image" in said.stdout
    assert "failed: cross-stitch, seed 0: its single-task network failed: single segmentation" in said.stdout
    assert "repeat the command to try them again" in said.stdout
    one = taskweave("run", "tiny.yaml", "--method", "single", "--out", "out", cwd=tmp_path)
    assert one.returncode == 2
    assert "boxes [outside] the image" in one.stderr
