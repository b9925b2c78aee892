"""Which runs a recipe has, which of them methods share, and what their hash depends on."""

from pathlib import Path

import pytest
from experiments.tiny import content, tiny

from taskweave.experiments.overrides import with_settings
from taskweave.experiments.plan import Run, all_runs, entries
from taskweave.experiments.recipe import Recipe

EVERYTHING = [
    {"use": "ensemble", "second_seed": 10},
    {"use": "shared", "until": "layer1"},
    {"use": "shared_latent", "rank": 2},
    {"use": "cross_stitch"},
    {"use": "one_task", "connected": {"use": "connected", "unit": "nddr"}},
]


def titles(recipe: Recipe) -> list[str]:
    return [run.title for run in all_runs(entries(recipe))]


def find(recipe: Recipe, title: str) -> Run:
    return next(run for run in all_runs(entries(recipe)) if run.title == title)


def test_every_run_once_and_after_what_it_needs() -> None:
    runs = all_runs(entries(tiny(methods=EVERYTHING, single_trained_on=True, seeds=[0, 1])))
    digests = [run.digest for run in runs]
    assert len(set(digests)) == len(digests)
    for position, run in enumerate(runs):
        assert all(parent.digest in digests[:position] for parent in run.parents)
    # per seed: 2 single, 2 trained on, 2 ensembles with 2 members more, shared, latent, cross-stitch, NDDR for 2 tasks
    assert len(runs) == 2 * (2 + 2 + 2 + 2 + 1 + 1 + 1 + 2)


def test_singles_are_shared_by_methods_and_recipes() -> None:
    a, b = tiny(), tiny(name="b", methods=[{"use": "nddr"}, {"use": "sluice"}])
    singles = "single segmentation, seed 0"
    assert find(a, singles).digest == find(b, singles).digest


def test_all_methods_share_one_start() -> None:
    recipe = tiny(start={"use": "scenes", "steps": 1, "images": 4, "size": [32, 48], "batch_size": 2}, seeds=[0, 1])
    assert titles(recipe).count("bodies pre-trained on scenes") == 1


def test_the_hash_of_a_run_is_of_what_determines_it_alone() -> None:
    base, single = tiny(), "single segmentation, seed 0"
    same = ["tasks.normals.weight=5", "tasks.segmentation.weight=3", "training.connected.steps=9", "at=[layer1]"]
    same += ["methods.0.unit.self_weight=0.5", "name=z", "evaluation.batch_size=1", "training.single.log_every=3"]
    for line in same:
        assert find(with_settings(base, [line]), single).digest == find(base, single).digest, line
    for line in ("tasks.segmentation.single_weight=2", "training.single.steps=9", "data.seed=9", "network.head.rates=[1]"):
        assert find(with_settings(base, [line]), single).digest != find(base, single).digest, line


def test_a_connected_run_depends_on_its_singles() -> None:
    base, stitched = tiny(), "cross-stitch, seed 0"
    for line in ("training.single.steps=9", "tasks.normals.weight=5", "at=[layer1]", "methods.0.rate=7"):
        assert find(with_settings(base, [line]), stitched).digest != find(base, stitched).digest, line
    labelled = with_settings(base, ["methods.0.label=ours"])
    assert find(labelled, "ours, seed 0").digest == find(base, stitched).digest


def test_steps_are_told_fairly() -> None:
    recipe = tiny(methods=EVERYTHING, single_trained_on=True)
    assert find(recipe, "single, trained on segmentation, seed 0").steps_in_all == 4
    assert find(recipe, "cross-stitch, seed 0").steps_in_all == 4
    assert find(recipe, "shared until layer1, seed 0").steps_in_all == 4
    assert find(recipe, "single segmentation, seed 0").steps_in_all == 2


def test_single_trained_on_has_the_fine_tunings_optimiser() -> None:
    given = content(single_trained_on=True)
    given["training"]["connected"] |= {"steps": 5, "batch_size": 3, "optimizer": {"use": "adam", "lr": 0.5}}
    options = find(Recipe.model_validate(given), "single, trained on normals, seed 0").options
    assert options is not None
    assert (options.steps, options.batch_size, options.lr) == (5, 3, 0.5)


def test_weights_of_losses_alone_and_together() -> None:
    recipe = with_settings(tiny(), ["tasks.normals.weight=20", "tasks.normals.single_weight=10"])
    assert find(recipe, "single normals, seed 0").weights == {"normals": 10.0}
    assert find(recipe, "cross-stitch, seed 0").weights == {"segmentation": 1.0, "normals": 20.0}


def test_a_file_to_start_from_counts_by_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(b"one")

    def digest() -> str:
        return find(tiny(start={"use": "file", "path": str(path)}), "single segmentation, seed 0").digest

    first = digest()
    path.write_bytes(b"other")
    second = digest()
    path.write_bytes(b"one")
    assert first == digest() != second


def test_a_run_is_known_by_the_version_of_what_is_made_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenes that are drawn otherwise, normals that are computed otherwise: only runs that saw them are trained anew."""
    start = {"use": "scenes", "steps": 1, "images": 4, "size": [32, 48], "batch_size": 2}
    folder = {"use": "nyuv2_folder", "path": str(tmp_path), "size": [32, 48]}
    recipes = {"scenes": tiny(), "files": tiny(data=folder), "start": tiny(data=folder, start=start)}
    titles = [f"single {task}, seed 0" for task in ("segmentation", "normals")]

    def digests() -> dict[str, list[str]]:  # of other objects: a run remembers its own
        fresh = {name: Recipe.model_validate(recipe.dump()) for name, recipe in recipes.items()}
        return {name: [find(recipe, title).digest for title in titles] for name, recipe in fresh.items()}

    def changed() -> dict[str, list[bool]]:
        now = digests()
        return {name: [a != b for a, b in zip(now[name], before[name], strict=True)] for name in now}

    before = digests()
    with monkeypatch.context() as patch:
        patch.setattr("taskweave.data.generated.scenes.GENERATOR_VERSION", 2)
        assert changed() == {"scenes": [True, True], "files": [False, False], "start": [True, True]}
    with monkeypatch.context() as patch:
        patch.setattr("taskweave.data.normals.METHOD", 2)
        assert changed() == {"scenes": [False, False], "files": [False, True], "start": [False, True]}
