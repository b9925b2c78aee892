"""Train and validation parts measured beside the test, in columns that count in no gain."""

from pathlib import Path

import pytest
from experiments.tiny import content, tiny

from taskweave.experiments.bench import Bench
from taskweave.experiments.columns import columns_of, further_columns, own_columns
from taskweave.experiments.comparison import compare
from taskweave.experiments.plan import all_runs, entries
from taskweave.experiments.prepare import for_testing
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.rows import constant_scores
from taskweave.experiments.running import load_network
from taskweave.reporting.tables import table_of
from taskweave.training import validate

DATA = {"use": "scenes", "size": [32, 48], "train": 8, "test": 4, "seed": 3, "validation_share": 0.25}
MEASURED = {"batch_size": 4, "pictures": 1, "also_on": ["train", "validation"]}


def test_columns() -> None:
    recipe = tiny(data=DATA, evaluation=MEASURED)
    assert [(c.name, c.part) for c in columns_of(recipe)] == [
        ("segmentation", "test"),
        ("segmentation (train)", "train"),
        ("segmentation (validation)", "validation"),
        ("normals", "test"),
        ("normals (train)", "train"),
        ("normals (validation)", "validation"),
    ]
    assert [c.name for c in own_columns(recipe, ("normals",))] == ["normals"]
    assert [c.name for c in further_columns(recipe, ("normals",))] == ["normals (train)", "normals (validation)"]


def test_a_part_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"also_on names the validation part, which \['data'\] have not: set val"):
        tiny(evaluation=MEASURED)
    assert tiny(evaluation=MEASURED | {"also_on": ["train"]}).evaluation.also_on == ("train",)


def test_recipes_without_it_keep_their_hash() -> None:
    plain = tiny()
    none = content(evaluation={"batch_size": 4, "pictures": 1, "also_on": []})
    assert Recipe.model_validate(none).digest() == plain.digest()
    assert "also_on" not in str(plain.identity())
    assert tiny(evaluation={"batch_size": 4, "pictures": 1, "also_on": ["train"]}).digest() != plain.digest()


@pytest.mark.slow
@pytest.mark.draws
def test_a_comparison_measures_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stored runs are measured anew, not trained anew; each part's numbers are those of its own pictures."""
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))
    before = compare(tiny(name="without", data=DATA), folder=tmp_path)
    recipe = tiny(data=DATA, evaluation=MEASURED)
    done = compare(recipe, folder=tmp_path)
    single = done.result.rows[0]
    assert list(single.metrics) == [c.name for c in columns_of(recipe)]
    assert single.metrics["segmentation"] == before.result.rows[0].metrics["segmentation"]
    assert single.runs == before.result.rows[0].runs
    assert single.metrics["segmentation (train)"] != single.metrics["segmentation (validation)"]
    assert done.result.parts == tuple(c.name for c in columns_of(recipe) if c.part != "test")
    assert done.result.further == ()

    bench = Bench(recipe)
    run = next(run for run in all_runs(entries(recipe)) if run.title == "single normals, seed 0")
    parts = bench.sets["data"]
    assert (len(parts.train), len(parts.validation)) == (6, 2)
    net = load_network(run, bench, tmp_path)
    for part, samples in (("train", parts.train), ("validation", parts.validation)):
        own = validate(net, {"normals": bench.tasks["normals"]}, for_testing(samples, recipe.data), batch_size=4)
        assert own["normals"] == pytest.approx(single.metrics[f"normals ({part})"], rel=1e-5)
        floor = constant_scores({"normals": bench.tasks["normals"]}, parts.train, samples)["normals"]
        assert done.result.constant[f"normals ({part})"] == pytest.approx(floor)

    # the average gain is that of the comparison without them
    gains = [table_of(result).lines[1].entries[-4].value for result in (done.result, before.result)]
    assert gains[0] == pytest.approx(gains[1], rel=1e-5)
    assert any("(train), " in remark and "not counted" in remark for remark in table_of(done.result).remarks)
    assert not any("train" in picture.name for picture in done.pictures)
