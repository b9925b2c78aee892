"""A whole comparison, tiny: trained once, resumed, interrupted, shared."""

import json
from pathlib import Path

import pytest
import torch
from experiments.tiny import Told, tiny

from taskweave.experiments.comparison import Comparison, compare
from taskweave.experiments.one_run import run
from taskweave.experiments.plan import all_runs, entries
from taskweave.files import CannotSaveError
from taskweave.progress import StopSignal
from taskweave.results.comparison import ComparisonResult
from taskweave.training import read_state

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKWEAVE_CACHE", str(cache))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Comparison:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TASKWEAVE_CACHE", str(cache))
        return compare(tiny(), folder=tmp_path_factory.mktemp("results"))


def test_rows_gains_and_files(finished: Comparison) -> None:
    assert finished.finished
    assert finished.result.methods == ("single", "cross-stitch")
    single, stitched = finished.result.rows
    assert set(single.metrics) == set(stitched.metrics) == {"segmentation", "normals"}
    assert single.steps == 2 and stitched.steps == 4
    # a 2 x 2 matrix per channel at stem and layer1..4 of a ResNet-10t
    assert stitched.parameters - single.parameters == 4 * (64 + 64 + 128 + 256 + 512)
    assert len(single.runs) == 2 and len(stitched.runs) == 1
    stored = ComparisonResult.load(finished.folder / "comparison.json")
    assert stored == finished.result
    assert stored.recipe == json.loads(tiny().model_dump_json())
    assert set(stored.constant) == {"segmentation", "normals"}
    assert stored.images == {"train": 8, "test": 4}
    assert (finished.folder / "recipe.yaml").is_file()
    assert finished.pictures and all(path.is_file() for path in finished.pictures)


def test_every_gain_has_an_interval_over_the_test_images(finished: Comparison) -> None:
    gains = finished.result.gains
    assert [gain.kind for gain in gains[-2:]] == ["task_mean", "flat_mean"]
    assert {gain.task for gain in gains[:-2]} == {"segmentation", "normals"}
    for gain in gains:
        (seed,) = gain.seeds
        # of four test images; None only where the gain is undefined on many draws, as with a class that is on one of them
        assert seed.low is not None and seed.high is not None and seed.low <= seed.high, gain
        assert (gain.low, gain.distinguishable) == (None, None)


def test_finished_runs_keep_weights_only(finished: Comparison) -> None:
    for folder in (finished.folder.parent / "runs").iterdir():
        names = {path.name for path in folder.iterdir()}
        assert {"weights.safetensors", "run.json", "recipe.yaml", "log.csv"} <= names
        assert not [name for name in names if name.endswith((".pt", ".part")) or name.startswith("best")]


def test_the_connected_network_began_with_the_stored_singles(finished: Comparison) -> None:
    """Two steps at a small rate move a weight little: it must lie nearer to its single's than any fresh start does."""
    root = finished.folder.parent
    single, stitched = all_runs(entries(tiny()))[0], all_runs(entries(tiny()))[-1]
    key = "streams.segmentation.net.body.layer4.0.conv1.weight"
    before = read_state(root / "runs" / single.digest / "weights.safetensors")[key]
    after = read_state(root / "runs" / stitched.digest / "weights.safetensors")[key]
    assert 0 < (after - before).norm() < 0.05 * before.norm()


def test_a_second_call_trains_nothing(finished: Comparison) -> None:
    told = Told()
    again = compare(tiny(), folder=finished.folder.parent, progress=told)
    assert told.trainings == 0
    assert again.result.rows == finished.result.rows
    assert "nothing to train" in " ".join(told.notes)


def test_another_recipe_trains_only_what_is_new(finished: Comparison) -> None:
    told = Told()
    more = tiny(name="more", methods=[{"use": "cross_stitch"}, {"use": "cross_connection", "gate": True}])
    done = compare(more, folder=finished.folder.parent, progress=told)
    assert told.trainings == 1
    assert done.result.methods == ("single", "cross-stitch", "cross-connected")
    assert done.estimate.done == 3


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    told = Told()
    planned = compare(tiny(), folder=tmp_path / "out", dry_run=True, progress=told)
    assert planned.state == "planned"
    assert not (tmp_path / "out").exists()
    assert [item.run.title for item in planned.estimate.missing] == [
        "single segmentation, seed 0",
        "single normals, seed 0",
        "cross-stitch, seed 0",
    ]
    assert planned.estimate.seconds > 0
    weights = 4 * sum(item.cost.parameters for item in planned.estimate.missing)
    assert planned.estimate.bytes > weights
    assert any("3 runs to train, 0 stored; expected:" in note for note in told.notes)


@pytest.mark.slow
def test_stopped_and_resumed_it_ends_as_if_never_stopped(finished: Comparison, tmp_path: Path) -> None:
    class AfterSteps(Told):
        """Asks to stop after so many training steps."""

        def __init__(self, steps: int, stop: StopSignal) -> None:
            super().__init__()
            self.left, self.stop, self.training = steps, stop, False

        def begin(self, what: str, total: int, *, done: int = 0) -> None:
            super().begin(what, total, done=done)
            self.training = what == "training"

        def advance(self, done: int, losses: object = None) -> None:
            if self.training:
                self.left -= done
                if self.left == 0:
                    self.stop.ask()

    stop = StopSignal()
    first = compare(tiny(), folder=tmp_path, progress=AfterSteps(3, stop), stop=stop)
    assert first.state == "interrupted"
    assert first.result.rows == ()
    assert first.result.missing == ("single, seed 0", "cross-stitch, seed 0")
    told = Told()
    second = compare(tiny(), folder=tmp_path, progress=told)
    assert told.trainings == 2  # the first single is stored, the second goes on, cross-stitch is new
    a, b = ([row.metrics for row in c.result.rows] for c in (second, finished))
    assert a == b
    for r in all_runs(entries(tiny())):
        ours, whole = (
            read_state(root / "runs" / r.digest / "weights.safetensors") for root in (tmp_path, finished.folder.parent)
        )
        assert all(torch.equal(ours[key], whole[key]) for key in whole)


def test_max_minutes_stops_at_a_resumable_point(tmp_path: Path) -> None:
    stopped = compare(tiny(), folder=tmp_path, max_minutes=0.0)
    assert stopped.state == "deadline"
    assert not stopped.finished


def test_a_stage_that_does_not_exist_is_named_before_anything_trains(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no stage 'layer9'; its stages are \['stem', 'layer1'"):
        compare(tiny(at=["layer9"]), folder=tmp_path)
    with pytest.raises(ValueError, match=r"no stage 'pool4'; its stages are \['stem', 'layer1'"):
        compare(tiny(methods=[{"use": "shared", "until": "pool4"}]), folder=tmp_path)
    assert not (tmp_path / "runs").exists()


def test_places_that_go_backwards(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="already passed"):
        compare(tiny(at=["layer2", "layer1"]), folder=tmp_path)


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotSaveError, match="choose another folder"):
        compare(tiny(), folder=tmp_path / "file")


def test_run_trains_one_method_and_what_it_needs(finished: Comparison) -> None:
    told = Told()
    row = run(tiny(), method="cross-stitch", folder=finished.folder.parent, progress=told)
    assert told.trainings == 0
    assert row is not None
    assert row.metrics == finished.result.rows[1].metrics
    with pytest.raises(ValueError, match="unknown method 'cross-stich', did you mean 'cross-stitch'"):
        run(tiny(), method="cross-stich", folder=finished.folder.parent)
