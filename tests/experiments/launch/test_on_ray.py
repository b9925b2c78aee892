"""Runs on a Ray cluster of this machine: the same stored runs, and what concerns all of them."""

import re
import sys
import time
from pathlib import Path

import pytest
from experiments.tiny import Told, tiny

from taskweave.experiments.bench import Bench
from taskweave.experiments.comparison import compare
from taskweave.experiments.launch import on_ray
from taskweave.experiments.launch.launcher import Place
from taskweave.experiments.launch.on_ray import OnRay
from taskweave.experiments.launch.permit import FolderNotSharedError, Permit
from taskweave.experiments.launch.worker import OtherMachineError, threads_for, work
from taskweave.experiments.plan import Run, all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.running import find_record
from taskweave.progress import StopSignal
from taskweave.results.run_files import RunRecord


def one_run() -> Recipe:
    return tiny(
        methods=[], tasks={"segmentation": {"loss_resolution": "eighth"}}, evaluation={"batch_size": 4, "pictures": 0}
    )


@pytest.mark.slow
def test_a_cluster_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained there, found here; a folder that a worker does not see is refused."""
    ray = pytest.importorskip("ray", reason="taskweave[ray] is not installed")
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))
    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        done = compare(one_run(), folder=tmp_path / "out", launcher=OnRay("local"), progress=(told := Told()))
        assert done.finished and told.trainings == 0, "none here"
        (run,) = all_runs(entries(one_run()))
        assert isinstance(find_record(run, tmp_path / "out"), RunRecord)
        assert not list((tmp_path / "out").glob(".workers-*"))
        place = Place(Bench(one_run()), tmp_path / "elsewhere", StopSignal(), Told())
        place.folder.mkdir()
        with OnRay("local").opened(place) as workers:
            for permit in place.folder.glob(".workers-*"):
                permit.unlink()  # as if the worker had another disk there
            workers.start(run)
            with pytest.raises(FolderNotSharedError, match=r"does not see .*elsewhere: .*give one with --out"):
                while not workers.ended(1.0):
                    pass
    finally:
        ray.shutdown()


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    place = Place(Bench(one_run()), tmp_path, StopSignal(), Told())
    with (
        pytest.raises(ImportError, match=r"--ray needs Ray: pip install taskweave\[ray\]"),
        OnRay("local").opened(place),
    ):
        pass


def test_ray_is_imported_in_its_file_alone() -> None:
    source = Path(on_ray.__file__).parents[2]
    importing = [path for path in source.rglob("*.py") if re.search(r"^\s*(import|from) ray\b", path.read_text(), re.M)]
    assert importing == [Path(on_ray.__file__)]
    assert not re.search(r"^(import|from) ray\b", importing[0].read_text(), re.M), "only when it is asked for"


def test_a_machine_that_would_compute_otherwise_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run,) = all_runs(entries(one_run()))
    _ = run.digest  # known where it was asked for
    (tmp_path / "permit").write_text("go")
    other = property(lambda self: {"another": "device"})
    monkeypatch.setattr(Run, "content", other)
    with pytest.raises(OtherMachineError, match="say device and precision in the recipe"):
        work(run, Bench(one_run()), folder=tmp_path, permit=tmp_path / "permit")


def test_the_cores_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskweave.experiments.launch.worker.cores", lambda: 8)
    assert [threads_for(jobs) for jobs in (1, 2, 3, 8, 20)] == [8, 4, 2, 1, 1]


def test_a_permit_that_ends_asks_to_stop(tmp_path: Path) -> None:
    permit = Permit(tmp_path / "permit")
    with pytest.raises(FolderNotSharedError):
        permit.check("here")
    permit.path.write_text("go")
    permit.check("here")
    with permit.watched() as signal:
        assert signal.reason is None
        permit.stop()
        for _ in range(100):
            if signal.reason is not None:
                break
            time.sleep(0.05)
        assert signal.reason == "interrupted"
    with permit.watched() as signal:
        assert signal.reason == "interrupted", "at once, where it had ended before"
