"""Every recipe that comes with taskweave keeps the contract; the asserts are shown to fail."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from contracts.recipe_contract import assert_builds_on_meta, assert_makes_two_steps, assert_round_trip
from contracts.recipe_shapes import assert_fits
from experiments.tiny import tiny

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.catalogue import find, names, summary
from taskweave.recipes.costing import Known, distinct_networks
from taskweave.recipes.listing import listed
from taskweave.tasks import Classification, Segmentation, Task

SIZES: Known = {}
STEPPED: set[str] = set()
"""What the recipes before have shown: tables of one paper have most networks in common."""

FORMS = [(name, small) for name in names() for small in (False, True)]


@pytest.mark.parametrize(("name", "small"), FORMS)
def test_round_trip(name: str, small: bool, tmp_path: Path) -> None:
    assert_round_trip(find(name, small=small), tmp_path)


@pytest.mark.parametrize(("name", "small"), FORMS)
def test_hash_is_stable(name: str, small: bool) -> None:
    assert find(name, small=small).digest() == find(name, small=small).digest()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "small"), FORMS)
def test_builds_at_its_own_size(name: str, small: bool) -> None:
    """Shapes, counts and operations; those that `taskweave recipes` lists are these."""
    cost = assert_builds_on_meta(find(name, small=small), SIZES)
    assert len(cost.networks) >= 3  # of at least two tasks, and one method
    known = next((one for one in listed() if one.name == name), None)
    assert known is not None, f"{name} is not listed: run `python -m taskweave.recipes.costing`"
    told = known.small if small or known.full is None else known.full
    timeless = replace(told, minutes=None, cores=0)
    assert cost == timeless, f"the listed cost of {name} is old: run `python -m taskweave.recipes.costing`"


def test_the_list_is_of_these_recipes() -> None:
    assert {one.name for one in listed()} == set(names()), "run `python -m taskweave.recipes.costing`"
    for one in listed():
        printed = find(one.name).printed
        assert (one.summary, one.table) == (summary(one.name), "" if printed is None else printed.table)
        assert one.paper == ("" if printed is None else printed.paper)
        assert (one.full is None) == (find(one.name) == find(one.name, small=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_every_small_network_makes_two_steps(name: str) -> None:
    assert_makes_two_steps(find(name, small=True), STEPPED)


@pytest.mark.parametrize("name", names())
def test_its_file_says_what_it_is(name: str) -> None:
    assert len(summary(name)) > 20


def test_the_asserts_can_fail(tmp_path: Path) -> None:
    class Forgetful(Recipe):
        """Leaves out of the YAML where its streams meet."""

        def to_yaml(self) -> str:
            return Recipe.to_yaml(Recipe.model_validate(self.dump() | {"at": ()}))

    forgetful = Forgetful.model_validate(tiny(at=["layer1"]).dump())
    with pytest.raises(AssertionError):
        assert_round_trip(forgetful, tmp_path)
    with pytest.raises(ValueError, match="has no stage 'layer9'"):
        assert_builds_on_meta(tiny(at=["layer9"]))
    with pytest.raises(AssertionError, match="losses"):
        assert_makes_two_steps(tiny(methods=[{"use": "cross_stitch", "self_weight": 1e38}]))
    assert len(distinct_networks(tiny())) == 3


@pytest.mark.parametrize(
    ("task", "shape"),
    [
        (Segmentation([str(i) for i in range(13)]), (1, 40, 60, 80)),  # classes of another data set
        (Segmentation([str(i) for i in range(13)]), (1, 13, 60, 60)),  # another picture's grid
        (Classification(["cat", "dog"]), (1, 3)),
    ],
)
def test_an_output_that_a_task_does_not_read_is_seen(task: Task, shape: tuple[int, ...]) -> None:
    good = (1, task.channels, 60, 80)[: len(shape)]
    assert_fits(task, torch.empty(good, device="meta"), (480, 640))
    with pytest.raises(AssertionError):
        assert_fits(task, torch.empty(shape, device="meta"), (480, 640))
