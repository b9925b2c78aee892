"""What every recipe keeps. A recipe joins by one line in test_recipe_contract.py."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from contracts.recipe_shapes import assert_fits, outputs_seen
from torch import Tensor

from taskweave.experiments.bench import Bench
from taskweave.experiments.costs import training_inputs
from taskweave.experiments.data import Source
from taskweave.experiments.fingerprint import digest_of
from taskweave.experiments.plan import Run
from taskweave.experiments.recipe import Recipe
from taskweave.recipes.costing import Known, built, cost_of_form, distinct_networks
from taskweave.recipes.listing import FormCost
from taskweave.tasks import Age, Attributes, BoxRegression, Classification, Detection, RoiDetection, Task
from taskweave.training import TrainingOptions

DENSE = {"segmentation", "depth", "normals"}


def on_scenes(recipe: Recipe, size: tuple[int, int] = (32, 48)) -> Recipe:
    """The recipe on four small generated pictures, batches of two; one of other tasks keeps its data and sizes."""
    if not set(recipe.tasks) <= DENSE or not isinstance(recipe.data, Source):
        return recipe
    data = Source.model_validate({"use": "scenes", "size": size, "train": 4, "test": 2, "seed": 5})
    t = recipe.training
    joint = None if t.joint is None else two_steps(t.joint)
    changed = t.model_copy(update={"single": two_steps(t.single), "connected": two_steps(t.connected), "joint": joint})
    return recipe.model_copy(update={"data": data, "training": changed, "seeds": recipe.seeds[:1]})


def two_steps(options: TrainingOptions) -> TrainingOptions:
    return options.model_copy(update={"steps": 2, "batch_size": 2, "precision": "32"})


def assert_round_trip(recipe: Recipe, folder: Path) -> None:
    """YAML and back gives the same recipe and the same hash."""
    path = folder / "recipe.yaml"
    path.write_text(recipe.to_yaml())
    again = Recipe.from_yaml(path)
    assert again == recipe, "the recipe changed on its way through YAML"
    assert again.digest() == recipe.digest(), "the hash changed on its way through YAML"


def assert_builds_on_meta(recipe: Recipe, known: Known | None = None) -> FormCost:
    """Every network is built at its full size without a weight being made, and returns what its tasks read.

    known: sizes of what other recipes have built, added to: tables of a paper have most networks in common.
    """
    known = {} if known is None else known
    before = len(known)
    with outputs_seen() as seen:
        cost = cost_of_form(recipe, known)
    assert len(seen) >= len(known) - before, "a network was counted and not seen"
    for task, output, size in seen:
        assert_fits(task, output, size)
    for title, size in cost.networks.items():
        assert size.parameters > 0 and size.flops > 0, f"{title}: nothing to train or compute"
    return cost


def target_of(task: Task, name: str, x: Tensor, inputs: Any) -> Any:
    """Random labels of the form that a task trains on."""
    batch, _, height, width = x.shape
    if isinstance(task, Detection):
        box = torch.tensor([[2.0, 2.0, width / 2, height / 2]])
        return [
            {"boxes": box, "labels": torch.ones(1, dtype=torch.int64), "ignore": torch.zeros(1, dtype=torch.bool)}
        ] * batch
    if isinstance(task, RoiDetection):
        return [{"labels": torch.arange(len(r)) % 2, "deltas": torch.zeros(len(r), 4)} for r in inputs[1]]
    if isinstance(task, Attributes):
        return [{"values": torch.randint(0, 2, (len(r), task.channels)).float()} for r in inputs[1]]
    if isinstance(task, Age | Classification):
        return torch.randint(0, task.channels, (batch,))
    if isinstance(task, BoxRegression):
        box, size = torch.tensor([[2.0, 2.0, width / 2, height / 2]]), torch.tensor([height, width])
        return [{"boxes": box, "size": size}] * batch
    if name == "segmentation":
        return torch.randint(0, 2, (batch, height, width))
    made = {
        "depth": torch.rand(batch, 1, height, width) + 0.5,
        "normals": torch.nn.functional.normalize(torch.randn(batch, 3, height, width), dim=1),
    }
    return made[name]


def steps_of(run: Run, bench: Bench) -> Iterator[torch.Tensor]:
    """Losses of two steps of plain SGD on random pictures and labels of the run's tasks."""
    torch.manual_seed(0)
    tasks = bench.shapes_only
    net = bench.build(run, shapes_only=True).train()
    x = torch.randn(2, 3, *bench.recipe.data.training_size)
    inputs = training_inputs(run, bench.recipe, tasks, x)
    targets = {name: target_of(tasks[name], name, x, inputs[name]) for name in run.trained}
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-4)
    for _ in range(2):
        outputs = net(inputs)
        total = sum(tasks[name].loss(outputs[name], targets[name]) for name in run.trained)
        assert isinstance(total, torch.Tensor)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        yield total.detach()


def assert_makes_two_steps(recipe: Recipe, known: set[str] | None = None) -> None:
    """Every different network of the recipe makes two steps with finite losses.

    known: networks, by what they are and what is learned, that did so for another recipe; added to.
    """
    known, small = set() if known is None else known, on_scenes(recipe)
    bench = Bench(small)
    for run in distinct_networks(small):
        tasks = {name: entry.identity() for name, entry in small.tasks.items()}
        key = f"{built(run)} {digest_of([small.data.identity(), tasks])}"
        if key in known:
            continue
        losses = torch.stack(list(steps_of(run, bench)))
        assert losses.isfinite().all(), f"{run.title}: losses {losses.tolist()}"
        known.add(key)
