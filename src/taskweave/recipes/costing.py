"""What our recipes cost, from shapes alone: `python -m taskweave.recipes.costing` writes it for `taskweave recipes`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from taskweave.experiments.bench import Bench
from taskweave.experiments.costs import Cost
from taskweave.experiments.data import sets_of
from taskweave.experiments.estimating import flops_of_training, pictures_of
from taskweave.experiments.fingerprint import digest_of
from taskweave.experiments.plan import Run, all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.set_up import titles_of
from taskweave.recipes.catalogue import find, names, summary
from taskweave.recipes.listing import FormCost, Listed, NeededData, NetworkCost, write

PASSES = 3
"""Of a training step, in forward passes: forward, and backward for the inputs and for the weights."""

RUN: Mapping[str, tuple[float, int]] = {
    "cross_connected/penn_fudan": (11.2, 1),
    "cross_connected/table1": (12.7, 1),
    "cross_connected/table2": (12.5, 1),
    "cross_stitch/figure2": (14.9, 2),
    "cross_stitch/table6": (11.7, 1),
    "demo": (2.8, 2),
    "mt_unet/figure4": (12.7, 1),
    "mt_unet/table2": (9.2, 1),
    "mt_unet/table3": (6.9, 1),
    "nddr/table1": (21.3, 1),
    "nddr/table2": (19.4, 1),
    "nddr/table4": (11.9, 2),
    "nddr/table7": (15.0, 1),
    "pets/table1": (14.9, 1),
    "pets/table1_sound": (8.4, 1),
}
"""(minutes, cores) of small forms with one seed and nothing stored, as docs/results and the README have them: one core of
an AMD EPYC with other work beside it, two of a quiet Xeon with AMX. Stored trainings count by their run.json."""

ESTIMATED: Mapping[str, float] = {
    "cross_stitch/table1": 23,
    "cross_stitch/table2": 22,
    "cross_stitch/table3": 21,
    "cross_stitch/table4": 17,
    "cross_stitch/table5": 64,
    "demo_pets": 2,
    "mt_unet/table1": 44,
    "mt_unet/table1_19_classes": 21,
    "nddr/table3": 56,
    "nddr/table5": 81,
    "nddr/table6": 96,
    "nddr/table_a1": 9,
    "nddr/table_a2": 25,
}
"""Minutes that `taskweave compare NAME --small --dry-run` expected of the others on one core of the EPYC, as busy. The
Xeon's two cores are about four times as fast: nddr/table4 was expected to take 50 here."""

Known = dict[str, Cost]
"""Sizes by what was built for which data and tasks: tables of a paper have most networks in common."""


_TRAINED = {"at", "first_steps", "first_weighting", "only", "rate", "second_seed", "shortcut_at", "start", "steps"}
"""Options of methods that say how a network is trained; those of its stages are counted as what they come to."""


def built(run: Run) -> str:
    """What a run's network is with random weights: not what it starts from, nor how it is trained."""
    method = run.row.method.options.get("connected", run.row.method)
    said = {name: value for name, value in method.identity().items() if name not in _TRAINED}
    return digest_of([said, list(run.method.stages(run.recipe) or ()), run.content["networks"], list(run.tasks)])


def distinct_networks(recipe: Recipe) -> list[Run]:
    """One run of every different network: by what is built, whatever the seed or stage of training."""
    found: dict[str, Run] = {}
    for run in all_runs(entries(recipe)):
        if not run.first and run.schedule not in ("none", "trained_on"):
            found.setdefault(built(run), run)
    return list(found.values())


def size_of(run: Run, bench: Bench, known: Known) -> Cost:
    """Parameters and operations of a run's network, built on the meta device where it is not `known`; added to that."""
    if run.schedule == "trained_on":
        return size_of(run.parents[0], bench, known)
    recipe = bench.recipe
    tasks = {name: entry.identity() for name, entry in recipe.tasks.items()}
    key = digest_of([run.digest if run.first else built(run), recipe.data.identity(), tasks])
    if key not in known:
        known[key] = bench.cost(run)
    return known[key]


def cost_of_form(recipe: Recipe, known: Known) -> FormCost:
    """Of one seed, without minutes."""
    recipe, bench = recipe.model_copy(update={"seeds": recipe.seeds[:1]}), Bench(recipe)
    runs = [run for run in all_runs(entries(recipe)) if run.steps]
    work = (run.steps * pictures_of(run) * flops_of_training(run, size_of(run, bench, known), bench) for run in runs)
    sizes = {run.title: size_of(run, bench, known) for run in distinct_networks(recipe)}
    return FormCost(
        recipe=recipe.name,
        data=_needed(recipe),
        trainings=len(runs),
        steps=sum(run.steps for run in runs),
        training_flops=PASSES * round(sum(work)),
        minutes=None,
        cores=0,
        networks={title: NetworkCost(cost.parameters, cost.flops) for title, cost in sizes.items()},
    )


def _needed(recipe: Recipe) -> tuple[NeededData, ...]:
    sets = {**sets_of(recipe.data), **{name: test.data for name, test in recipe.further_tests.items()}}
    titles = titles_of(recipe)
    return tuple(NeededData(name, titles[name], one.dataset.name, ours=one.path is None) for name, one in sets.items())


def cost_of_recipe(name: str, known: Known) -> Listed:
    """What is listed of one recipe. Seconds: every different network is built from shapes."""
    full, small = find(name), find(name, small=True)
    printed, estimate = full.printed, ESTIMATED.get(name)
    minutes, cores = RUN.get(name, (estimate, 0))
    return Listed(
        name=name,
        summary=summary(name),
        paper=printed.paper if printed is not None else "",
        table=printed.table if printed is not None else "",
        full=None if full == small else cost_of_form(full, known),
        small=replace(cost_of_form(small, known), minutes=minutes, cores=cores),
    )


if __name__ == "__main__":
    sizes: Known = {}
    write(tuple(cost_of_recipe(name, sizes) for name in names()))
