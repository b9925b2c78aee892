"""The pet paper's networks as methods: their runs, their presets, what is trained first and found again."""

from pathlib import Path
from typing import Any

import pytest
import torch
from experiments.tiny import tiny

from taskweave.experiments.bench import Bench
from taskweave.experiments.comparison import compare
from taskweave.experiments.plan import Run, all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.networks import pet_auxiliaries, pet_oeq, pet_segnet
from taskweave.recipes.pets.protocol import rows
from taskweave.training import read_state, save_weights
from taskweave.weighting import DynamicWeightAverage, LossGate

pytestmark = pytest.mark.slow

ALL = ("species", "box", "segmentation")
SMALL = {"width": 2, "hidden": (6, 4)}
FAULTS = {"sigmoid": True, "batch_statistics": True}
OPTIONS = {"steps": 2, "batch_size": 4, "precision": "32", "checkpoint_seconds": None, "optimizer": {"use": "adam"}}


def networks(width: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The single networks: a decoder for the mask, heads for numbers."""
    numbers = {"use": "pet_numbers_net", **width, **options}
    of_maps = {name: value for name, value in width.items() if name != "hidden"}
    return {"segmentation": {"use": "pet_map_net", **of_maps, **options}, "species": numbers, "box": numbers}


def stitched(preset: str, branches: tuple[str, ...], width: dict[str, Any] = SMALL) -> dict[str, Any]:
    """The row of the pet recipes with these branches; of one branch the baseline, published with its faults."""
    if len(branches) == 1:
        return {
            "use": "pet_segnet",
            "stitch": "one",
            "branches": branches,
            **(FAULTS if preset == "published" else {}),
            **width,
        }
    found: dict[str, Any] = next(row for row in rows(preset, width) if row.get("branches") == branches)  # type: ignore[arg-type]
    return {name: value for name, value in found.items() if name != "label"}


def oeq(preset: str = "sound", width: dict[str, Any] = SMALL, **options: Any) -> dict[str, Any]:
    """The pet recipes' open-ended question."""
    (found,) = (row for row in rows(preset, width) if row["use"] == "pet_oeq")  # type: ignore[arg-type]
    return {**{name: value for name, value in found.items() if name != "label"}, **options}


def auxiliaries(width: dict[str, Any] = SMALL, **options: Any) -> dict[str, Any]:
    """What an open-ended question of these options has trained first."""
    return {"use": "pet_auxiliaries", "branches": ALL[:2], **width, **options}


def pets(
    *methods: Any, width: dict[str, Any] = SMALL, size: tuple[int, int] = (80, 80), faults: bool = False, **changes: Any
) -> Recipe:
    return tiny(
        data={"use": "pets_sample", "size": size},
        tasks={"segmentation": {}, "species": {"use": "classification"}, "box": {"use": "box_regression"}},
        network=None,
        networks=networks(width, **({"batch_statistics": True} if faults else {})),
        methods=methods,
        training={"single": OPTIONS, "connected": OPTIONS | {"steps": 3}, "joint": OPTIONS | {"steps": 4}},
        evaluation={"batch_size": 4, "pictures": 0},
        **changes,
    )


def run_of(recipe: Recipe, row: int) -> Run:
    (run,) = entries(recipe)[row].runs
    return run


def test_the_runs_of_a_stitched_network() -> None:
    recipe = pets(
        stitched("sound", ALL),
        stitched("sound", ("box", "segmentation")),
        stitched("published", ("segmentation",)) | {"label": "Baseline"},
    )
    roles = [(run.schedule, run.tasks, run.trained, run.steps) for run in (run_of(recipe, row) for row in (1, 2, 3))]
    assert roles == [
        ("joint", ALL, ALL, 4),
        ("joint", ("box", "segmentation"), ("box", "segmentation"), 4),
        ("joint", ("segmentation",), ("segmentation",), 4),
    ]
    titles = [row.title for row in recipe.rows]
    assert titles[0] == "single" and titles[3] == "Baseline"
    digests = {run.digest for run in all_runs(entries(recipe))}
    assert len(digests) == 6, "three single networks and three rows"
    one = pets(stitched("sound", ALL) | {"stitch": "one"})
    assert run_of(one, 1).digest != run_of(recipe, 1).digest


@pytest.mark.parametrize("frozen", [True, False])
def test_the_runs_of_an_oeq(frozen: bool) -> None:
    recipe = pets(oeq(frozen=frozen, first_steps=7))
    run = run_of(recipe, 1)
    (first,) = run.parents
    assert (first.schedule, first.tasks, first.trained, first.steps) == ("joint", ALL[:2], ALL[:2], 7)
    assert (run.schedule, run.tasks, run.steps, run.steps_in_all) == ("connected", ALL, 3, 10)
    assert run.trained == (ALL[-1:] if frozen else ALL)
    assert run.measured == ALL and first.measured == ALL[:2]
    other = run_of(pets(oeq(frozen=not frozen, first_steps=7)), 1)
    assert other.parents[0].digest == first.digest, "what is trained first is found again"
    assert other.digest != run.digest
    longer = run_of(pets(oeq(frozen=frozen, first_steps=8)), 1)
    assert longer.digest != run.digest


def test_the_auxiliaries_may_be_a_row_and_are_the_same_run() -> None:
    recipe = pets(auxiliaries(), oeq())
    assert [row.title for row in recipe.rows] == ["single", "auxiliary networks (species, box)", "OEQ"]
    assert run_of(recipe, 1).digest == run_of(recipe, 2).parents[0].digest


PRE_WEIGHTS = {
    ALL: [0.3, 1.0, 2.0],
    ("box", "segmentation"): [0.5, 1.5],
    ("species", "segmentation"): [0.1, 0.9],
}


@pytest.mark.parametrize("branches", PRE_WEIGHTS, ids=len)
def test_as_published(branches: tuple[str, ...]) -> None:
    """Sigmoid, batch statistics, one matrix, its start, pre-weights, DWA per iteration at T = 2, .2 dropped."""
    recipe = pets(stitched("published", branches))
    run, bench = run_of(recipe, 1), Bench(recipe)
    net = bench.build(run, shapes_only=True)
    assert net.stream("segmentation").net.sigmoid
    assert not [name for name in net.state_dict() if "running" in name]
    assert sum(p.numel() for p in net.connections.parameters()) == len(branches) ** 2
    start = {
        ALL: [[0.6, 0.3, 0.1], [0.1, 0.6, 0.3], [0.1, 0.3, 0.6]],
        ("box", "segmentation"): [[0.8, 0.2], [0.2, 0.8]],
        ("species", "segmentation"): [[1.5, 0.5], [0.5, 1.5]],
    }[branches]
    torch.testing.assert_close(net.connection(4).unit.alpha.detach()[:, :, 0], torch.tensor(start))
    assert run.weighting is not None
    weighting = run.weighting({task: bench.shapes_only[task] for task in run.trained})
    assert isinstance(weighting, LossGate) and weighting.below == dict.fromkeys(branches[:-1], 0.2)
    within = weighting.weighting
    assert isinstance(within, DynamicWeightAverage)
    assert (within.every, within.temperature) == ("iteration", 2.0)
    assert within.pre_weights == dict(zip(branches, PRE_WEIGHTS[branches], strict=True))


def test_as_published_oeq_and_baseline() -> None:
    recipe = pets(oeq("published"), stitched("published", ("segmentation",)))
    run, bench = run_of(recipe, 1), Bench(recipe)
    net = bench.build(run, shapes_only=True)
    assert net.stream("segmentation").net.sigmoid and not [name for name in net.state_dict() if "running" in name]
    assert run.weighting is None and not any(p.requires_grad for p in net.stream("box").parameters())
    first = run.parents[0].weighting
    assert first is not None
    weighting = first({task: bench.shapes_only[task] for task in ALL[:2]})
    assert isinstance(weighting, LossGate) and weighting.below == {"species": 0.1, "box": 0.2}
    assert weighting.weights() == {"species": 0.5, "box": 0.5}
    assert run_of(recipe, 2).weighting is None


def test_sound() -> None:
    recipe = pets(stitched("sound", ALL))
    net = Bench(recipe).build(run_of(recipe, 1), shapes_only=True)
    assert not net.stream("segmentation").net.sigmoid and any("running" in name for name in net.state_dict())
    units = [net.connection(i).unit for i in range(5)]
    assert len({id(unit) for unit in units}) == 5
    for unit in units:
        alpha = unit.alpha.detach()[:, :, 0]
        torch.testing.assert_close(alpha.sum(1), torch.ones(3))
        assert bool((alpha > 0).all())


def test_costs_at_full_size() -> None:
    """Distinct numbers of what a row needs, its auxiliaries' too (others: tests/networks/test_pet_counts.py)."""
    recipe = pets(stitched("published", ALL, {}), oeq("published", {}), width={})
    bench = Bench(recipe)
    assert [bench.cost(run_of(recipe, row)).parameters for row in (1, 2)] == [29_173_742, 56_568_382]
    singles = [bench.cost(run).parameters for run in entries(recipe)[0].runs]
    assert singles[0] == 18_881_615


def test_the_auxiliaries_are_loaded_and_the_target_begins_afresh(tmp_path: Path) -> None:
    recipe = pets(oeq())
    run, bench = run_of(recipe, 1), Bench(recipe)
    torch.manual_seed(0)
    first = bench.build(run.parents[0], shapes_only=True)
    own = tmp_path / run.parents[0].digest
    own.mkdir()
    save_weights(first, own / "weights.safetensors")
    net = bench.build(run, shapes_only=True)
    fresh = {key: value.clone() for key, value in net.stream("segmentation").net.state_dict().items()}
    run.method.load(net, run, tmp_path)
    for name in ALL[:2]:
        for key, value in first.stream(name).net.state_dict().items():
            assert torch.equal(net.stream(name).net.state_dict()[key], value)
    assert all(torch.equal(net.stream("segmentation").net.state_dict()[key], value) for key, value in fresh.items())


def test_a_common_start_reaches_every_branch_and_the_target(tmp_path: Path) -> None:
    """Its stem and encoders, whatever their batch norms go by; an OEQ's auxiliaries have it from their own run."""
    scenes = {"use": "scenes", "steps": 1, "images": 4, "size": [64, 64], "batch_size": 2}
    recipe = pets(stitched("published", ALL), oeq(stem_kernel=3), start=scenes)
    bench, (run, asked) = Bench(recipe), (run_of(recipe, 1), run_of(recipe, 2))
    assert [parent.first for parent in run.parents] == [True]
    assert [(parent.schedule, parent.first) for parent in asked.parents] == [("joint", False), ("joint", True)]
    start, first = asked.parents[1], asked.parents[0]
    assert [parent.first for parent in first.parents] == [True]
    for one, value in ((run.parents[0], 0.25), (start, 0.25), (first, 0.5)):
        net = bench.build(one, shapes_only=True)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.fill_(value)
        (tmp_path / one.digest).mkdir(exist_ok=True)
        save_weights(net, tmp_path / one.digest / "weights.safetensors")
    for one, expected in ((run, {0.25}), (asked, {0.25, 0.5})):
        net = bench.build(one, shapes_only=True)
        one.method.load(net, one, tmp_path)
        nets = [net.stream(name).net for name in ALL]
        values = [{float(p.detach().unique()) for part in (n.stem, n.encoder) for p in part.parameters()} for n in nets]
        assert values == [{max(expected)}, {max(expected)}, {0.25}]


def test_networks_by_their_options() -> None:
    """The same keys and shapes as the builders give."""
    other = {"use": "pet_segnet", "branches": ALL, "stem": "separate", "stitch": "per_channel", "width": 3, "hidden": [5]}
    recipe = pets(other, oeq())
    bench = Bench(recipe)
    outputs = {name: bench.shapes_only[name].channels for name in ALL}
    run = run_of(recipe, 2)
    theirs = [
        (run_of(recipe, 1), pet_segnet(outputs, width=3, hidden=(5,), stem="separate", stitch="per_channel")),
        (run, pet_oeq(outputs, width=2, hidden=(6, 4))),
        (run.parents[0], pet_auxiliaries(outputs, branches=ALL[:2], width=2, hidden=(6, 4))),
    ]
    for one, other in theirs:
        net = bench.build(one, shapes_only=True)
        assert {k: v.shape for k, v in net.state_dict().items()} == {k: v.shape for k, v in other.state_dict().items()}


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match=r"has branches \['age'\], no tasks of this recipe"):
        pets({"use": "pet_segnet", "branches": ["age", "segmentation"]})
    with pytest.raises(ValueError, match=r"'pet_segnet' gives map for 'box', .* reads numbers; .*\['species', 'box'\]"):
        pets({"use": "pet_segnet", "branches": ["species", "box"]})
    with pytest.raises(ValueError, match=r"'pet_oeq' gives numbers for 'segmentation', .* reads map; its branches are"):
        pets({"use": "pet_oeq", "branches": ["segmentation", "box", "species"]})
    with pytest.raises(ValueError, match="branches are different tasks"):
        pets({"use": "pet_segnet", "branches": ["box", "box", "segmentation"]})
    with pytest.raises(ValueError, match=r"first_weighting names \['segmentation'\]"):
        pets({**oeq(), "first_weighting": {"use": "fixed", "weights": {"segmentation": 2.0}}})
    with pytest.raises(ValueError, match="the public code has no start for the branches"):
        pets({"use": "pet_segnet", "initial": "published", "branches": ["box", "species", "segmentation"]})
    faulty = {**SMALL, "batch_statistics": True}
    for method in (stitched("sound", ALL, faulty), oeq("published")):
        with pytest.raises(ValueError, match=rf"are 48 x 64 px: .* {method['use']} of \['species', .* more than 64 px"):
            pets(method, size=(48, 64))
    with pytest.raises(ValueError, match=r"the pictures of data are 64 x 64 px: with batch_statistics one alone"):
        pets(faults=True, size=(64, 64))
    pets(oeq("published"), size=(48, 65))
    without_decoder = auxiliaries(faulty)
    pets(without_decoder, size=(33, 32))
    with pytest.raises(ValueError, match=r"more than 32 px"):
        pets(without_decoder, size=(32, 32))
    with pytest.raises(ValueError, match=r"drops no losses"):
        pets(
            {
                "use": "pet_segnet",
                "weighting": {"use": "loss_gate", "below": {"box": 0.1}, "weighting": "gradient_aggregation"},
            }
        )
    with pytest.raises(ValueError, match=r"names \['depth'\]; the recipe's tasks are"):
        pets({"use": "pet_segnet", "weighting": {"use": "loss_gate", "below": {"depth": 0.1}, "weighting": "fixed"}})


@pytest.mark.slow
def test_a_comparison_from_the_first_to_the_last(tmp_path: Path) -> None:
    """Frozen auxiliaries end as they were stored, to the bit, and score what they scored; fine-tuned ones do not."""
    frozen = oeq("published", label="OEQ")
    tuned = oeq("published", label="OEQ, fine-tuned", frozen=False)
    recipe = pets({"use": "single", "only": ["segmentation"]}, frozen, tuned)
    assert len(all_runs(entries(recipe))) == 4, "both read the same auxiliaries"
    done = compare(recipe, folder=tmp_path)
    assert done.finished
    rows = {row.method: row for row in done.result.rows}
    assert [sorted(row.metrics) for row in rows.values()] == [["segmentation"], sorted(ALL), sorted(ALL)]
    for index, label in ((1, "OEQ"), (2, "OEQ, fine-tuned")):
        run = run_of(recipe, index)
        stored = read_state(tmp_path / "runs" / run.parents[0].digest / "weights.safetensors")
        ended = read_state(tmp_path / "runs" / run.digest / "weights.safetensors")
        same = [torch.equal(ended[k], v) for k, v in stored.items() if k.startswith("streams.")]
        assert all(same) is (label == "OEQ")
        assert rows[label].steps == 4 + 3
