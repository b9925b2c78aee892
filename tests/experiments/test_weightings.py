"""Weightings in recipes: what they are called and known by, what is refused, what a comparison writes of them."""

import builtins
import csv

import pytest
import torch
import torchjd._mixins
from experiments.tiny import Told, content, tiny

from taskweave.experiments.comparison import compare
from taskweave.experiments.overrides import with_settings
from taskweave.experiments.plan import all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.parts import read
from taskweave.reporting import write_charts
from taskweave.tasks import Depth, Normals, NormalsByCodebook, Segmentation
from taskweave.weighting.gradient_aggregation import Name
from taskweave.weighting.weighting import Weighting

TASKS = {"segmentation": Segmentation(("a", "b")), "depth": Depth(), "normals": Normals()}
KINDS = {
    "fixed": ({"weights": {"depth": 0.7}}, "Fixed", "weights depth 0.7"),
    "dynamic_weight_average": ({"every": "iteration"}, "DynamicWeightAverage", "DWA per iteration"),
    "uncertainty": ({}, "Uncertainty", "uncertainty"),
    "geometric_mean": ({}, "GeometricMean", "geometric mean"),
    "variance_ratio": ({"window": 3}, "VarianceRatio", "eq. 5"),
    "gradient_aggregation": ({"aggregator": "imtl_g"}, "GradientAggregation", "IMTL-G"),
}


def choice(**given):
    return read(given, Weighting)


def joint(recipe):
    """The run of the tiny recipe that has several tasks."""
    return next(run for run in all_runs(entries(recipe)) if len(run.trained) > 1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_built(kind):
    options, name, title = KINDS[kind]
    chosen = choice(use=kind, **options)
    built = chosen(TASKS)
    assert (type(built).__name__, chosen.fact("title"), built.tasks) == (name, title, tuple(TASKS))


def test_options_arrive():
    fixed = choice(use="fixed", weights={"depth": 0.7})(TASKS)
    assert fixed.weights() == {"segmentation": 1.0, "depth": 0.7, "normals": 1.0}
    dwa = choice(use="dynamic_weight_average", temperature=1.0, pre_weights={"depth": 0.5})(TASKS).determining()
    assert (dwa["temperature"], dwa["pre_weights"]["depth"], dwa["every"]) == (1.0, 0.5, "epoch")
    given = {"learning_rate": 0.1, "window": 2, "variance_of": "epochs", "eps": 0.5, "floor": 0.2, "optimizer": "sgd"}
    found = choice(use="variance_ratio", **given)(TASKS).determining()
    assert found == {"kind": "VarianceRatio", "literal": False, **given}
    nash = choice(use="gradient_aggregation", aggregator="nash_mtl", nash_mtl_max_norm=3, over="all")(TASKS)
    assert nash.over == "all" and "NashMTL(n_tasks=3, max_norm=3.0" in nash.determining()["aggregator"]


def test_forms_of_uncertainty_by_task():
    by_task = choice(use="uncertainty", initial=0.0, learning_rate=0.1)(TASKS)
    assert by_task.forms == {"segmentation": "classification", "depth": "regression", "normals": "regression"}
    assert (by_task.initial, by_task.learning_rate) == (0.0, 0.1)
    codebook = {"normals": NormalsByCodebook(codebook=((0.0, 0.0, 1.0), (0.0, 1.0, 0.0))), "depth": Depth()}
    assert choice(use="uncertainty")(codebook).forms["normals"] == "classification"
    assert set(choice(use="uncertainty", forms="regression")(TASKS).forms.values()) == {"regression"}


@pytest.mark.parametrize("name", Name.__args__)
def test_every_aggregator_aggregates(name):
    torch.manual_seed(0)
    weighting = choice(use="gradient_aggregation", aggregator=name)(TASKS)
    found = weighting.aggregate({task: torch.randn(7) for task in TASKS})
    assert found.shape == (7,) and bool(torch.isfinite(found).all()) and bool(found.any())


@pytest.mark.parametrize(("aggregator", "lacking"), [("upgrad", "torchjd"), ("nash_mtl", "ecos"), ("upgrad", "quadprog")])
def test_without_the_extra_it_is_named(monkeypatch, aggregator, lacking):
    """TorchJD itself, or only the solver that this method needs."""
    real_import, real_find = builtins.__import__, torchjd._mixins.find_spec

    def fake_import(name, *args, **kwargs):
        if name.partition(".")[0] == lacking:
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(torchjd._mixins, "find_spec", lambda name: None if name == lacking else real_find(name))
    monkeypatch.setattr(builtins, "__import__", fake_import)
    with pytest.raises(ImportError, match=r"pip install taskweave\[aggregation\]"):
        choice(use="gradient_aggregation", aggregator=aggregator)(TASKS)


def test_a_comparison_asks_for_the_extra_before_it_trains(monkeypatch, tmp_path):
    real = builtins.__import__

    def fake_import(name, *args, **kwargs):
        if name.partition(".")[0] == "torchjd":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", fake_import)
    recipe = tiny(methods=[{"use": "cross_stitch", "weighting": {"use": "gradient_aggregation"}}])
    with pytest.raises(ImportError, match=r"UPGrad.*pip install taskweave\[aggregation\]"):
        compare(recipe, folder=tmp_path, progress=Told())
    assert list(tmp_path.iterdir()) == []


def test_recipes_and_runs_without_one_are_known_as_before():
    recipe = tiny()
    assert "weighting" not in str(recipe.identity())
    assert all(run.content["weighting"] is None for run in all_runs(entries(recipe)))
    assert tiny(methods=[{"use": "cross_stitch", "weighting": None}]).digest() == recipe.digest()


def test_a_weighting_is_counted_and_named():
    plain, weighed = tiny(), tiny(methods=[{"use": "cross_stitch", "weighting": {"use": "dynamic_weight_average"}}])
    other = tiny(methods=[{"use": "cross_stitch", "weighting": {"use": "dynamic_weight_average", "temperature": 1.0}}])
    assert len({joint(recipe).digest for recipe in (plain, weighed, other)}) == 3
    assert len({recipe.digest() for recipe in (plain, weighed, other)}) == 3
    assert weighed.rows[-1].title == "cross-stitch, DWA"
    singles = [{run.digest for run in all_runs(entries(r)) if len(run.trained) == 1} for r in (plain, weighed)]
    assert singles[0] == singles[1]  # the networks that it starts from are the same ones


def test_it_can_be_set_and_comes_back_from_yaml(tmp_path):
    recipe = with_settings(tiny(), ["methods.cross_stitch.weighting.use=variance_ratio", "methods.0.weighting.window=7"])
    assert recipe.methods[0].weighting.options["window"] == 7
    (tmp_path / "r.yaml").write_text(recipe.to_yaml())
    assert Recipe.from_yaml(tmp_path / "r.yaml").digest() == recipe.digest()


ON_ONE = {
    "use": "one_task",
    "connected": {"use": "connected", "unit": "nddr"},
    "weighting": {"use": "dynamic_weight_average"},
}


@pytest.mark.parametrize(
    ("method", "match"),
    [
        ({"use": "single", "weighting": {"use": "dynamic_weight_average"}}, "single trains for one task at a time"),
        ({"use": "ensemble", "weighting": {"use": "dynamic_weight_average"}}, "ensemble trains for one task"),
        (ON_ONE, "one_task trains for one task"),
        (
            {"use": "nddr", "weighting": {"use": "dynamic_weight_avrage"}},
            r"methods.0.weighting: unknown weighting 'dyn.*did you mean 'dynamic_weight_average'",
        ),
        (
            {"use": "nddr", "weighting": {"use": "fixed", "weights": {"depth": 1}}},
            r"names \['depth'\]; the recipe's tasks",
        ),
        ({"use": "nddr", "weighting": {"use": "dynamic_weight_average", "temperature": -1}}, r"temperature.*got -1"),
    ],
)
def test_what_is_refused(method, match):
    with pytest.raises(ValueError, match=match):
        tiny(methods=[method])


@pytest.mark.slow
@pytest.mark.draws
def test_a_comparison_of_weightings(tmp_path):
    """Of each way into the loop one, trained; weights in the logs and drawn."""
    chosen = [{"use": "uncertainty"}, {"use": "gradient_aggregation"}, {"use": "fixed", "weights": {"normals": 3.0}}]
    shared = {"use": "shared", "until": "layer1"}
    given = content(methods=[{**shared, "weighting": one} for one in chosen], evaluation={"batch_size": 4, "pictures": 0})
    for how in given["training"].values():
        how["log_every"] = 1
    done = compare(Recipe.model_validate(given), folder=tmp_path, progress=Told())
    assert done.finished
    titles = [f"shared until layer1, {title}" for title in ("uncertainty", "UPGrad", "weights normals 3")]
    assert done.result.methods == ("single", *titles)
    assert "weights.png" in {path.name for path in write_charts(done.folder)}
    seen = set()
    for run in all_runs(entries(Recipe.model_validate(given))):
        if run.weighting is not None:
            with (tmp_path / "runs" / run.digest / "log.csv").open() as file:
                rows = list(csv.DictReader(file))
            assert len(rows) == 4 and all(float(row[f"weight.{task}"]) > 0 for row in rows for task in run.trained)
            seen.add(tuple(row["weight.normals"] for row in rows))
    assert len(seen) == 3 and ("3.0",) * 4 in seen
