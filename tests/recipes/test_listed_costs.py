"""What `taskweave recipes` lists: against the papers' own counts, and operations of training from their definition.

That the list is of the networks as they are built is in tests/contracts/test_recipe_contract.py.
"""

import json
from pathlib import Path

import pytest

from taskweave.recipes.costing import ESTIMATED, RUN
from taskweave.recipes.listing import FormCost, Listed, listed, plain, write

BY_NAME = {one.name: one for one in listed()}


def full(name: str) -> FormCost:
    found = BY_NAME[name].full
    assert found is not None
    return found


def added(name: str, method: str, tasks: tuple[str, str]) -> int:
    """Parameters that a connected network has beyond its two single ones."""
    sizes = {title.rpartition(",")[0]: size.parameters for title, size in full(name).networks.items()}
    return sizes[method] - sum(sizes[f"single {task}"] for task in tasks)


ROOMS, STREETS = ("segmentation", "normals"), ("segmentation", "detection")


@pytest.mark.parametrize(
    ("name", "method", "tasks", "count"),
    [
        # paper_facts: 1x1 weights of two tasks 4 * sum C^2, and batch norm after them, 2 tasks * 2 * sum C = 5,888
        ("nddr/table4", "NDDR", ROOMS, 2_441_216 + 5_888),
        ("nddr/table4", "cross-stitch", ROOMS, 4 * 1_472),
        ("nddr/table7", "NDDR", ("age", "gender"), 2_441_216 + 5_888),
        # ResNet-101: 4 * (64^2 + 256^2 + 512^2 + 1024^2 + 2048^2), and 4 numbers of batch norm a channel
        ("nddr/table5", "NDDR", ROOMS, 22_298_624 + 4 * 3_904),
        # 8,800 channels of pool1, pool2, pool5, fc6, fc7; four numbers each
        ("cross_stitch/table5", "cross-stitch", ROOMS, 35_200),
        # five units of four numbers, as in figure 4
        ("cross_stitch/table6", "cross-stitch", ("detection", "attributes"), 20),
        # ten 1x1 convolutions with biases, both ways; trained on one task it is the same network, and is named first
        ("cross_connected/table1", "single-task cross-connected segmentation", STREETS, 2_053_376),
        ("cross_connected/table2", "single-task cross-connected segmentation", STREETS, 2_053_376),
    ],
)
def test_units_add_the_papers_counts(name: str, method: str, tasks: tuple[str, str], count: int) -> None:
    assert added(name, method, tasks) == count


def test_networks_have_the_papers_counts() -> None:
    ages = full("nddr/table7").networks
    assert ages["single age, seed 1234"].parameters == 134_670_244
    assert ages["single gender, seed 1234"].parameters == 134_268_738
    assert ages["single age, seed 1234"].parameters + ages["single gender, seed 1234"].parameters == 268_938_982
    rooms = full("nddr/table4").networks
    assert rooms["single segmentation, seed 1234"].parameters == 20_531_176  # 20,524,904 with biases, no batch norm
    pets = full("pets/table1").networks
    assert pets["Baseline segmentation, seed 0"].parameters == 18_881_615
    assert [pets[f"{row}, seed 0"].parameters for row in ("MTL",)] == [29_173_742]


def test_operations_of_training_by_their_definition() -> None:
    """Three forward passes a step, of pictures as they are trained on."""
    unet = full("mt_unet/table3")  # trained on whole pictures: 74,400 steps of 8 for each network
    assert unet.trainings == 4 and unet.steps == 4 * 74_400
    assert unet.training_flops == 3 * 74_400 * 8 * sum(size.flops for size in unet.networks.values())
    nddr = full("nddr/table4")  # on crops, 20,001 steps of 10; the single networks twice, as "single, trained on"
    sizes = {title.rpartition(",")[0]: size.flops for title, size in nddr.networks.items()}
    once = sum(sizes.values()) + sizes["single segmentation"] + sizes["single normals"]
    assert nddr.trainings == 8 and nddr.steps == 8 * 20_001
    assert nddr.training_flops == pytest.approx(3 * 20_001 * 10 * once * (321 * 321) / (480 * 640), rel=1e-9)


def test_steps_by_hand() -> None:
    table5 = full("cross_stitch/table5")
    # of two seeds, for the ensemble: single 25,000 + 15,000; trained on 2 * 10,000; 7 splits and MTL-shared 30,000 each
    assert table5.steps == 2 * 40_000 + 2 * 10_000 + 8 * 30_000 + 10_000
    assert table5.trainings == 2 * 2 + 2 + 8 + 1
    small = BY_NAME["pets/table1"].small  # begins with bodies trained for 200 steps on scenes: of two networks' kinds
    assert small.trainings == 8 and small.steps == 2 * 200 + 6 * 240


def test_minutes_were_run_or_estimated_and_it_is_said_which() -> None:
    assert not set(RUN) & set(ESTIMATED)
    for one in listed():
        small = one.small
        assert (small.minutes, small.cores) == RUN.get(one.name, (ESTIMATED.get(one.name), 0))
        assert one.full is None or (one.full.minutes, one.full.cores) == (None, 0)


def test_the_file_is_written_as_it_is_read(tmp_path: Path) -> None:
    path = write(listed(), tmp_path / "costs.json")
    assert json.loads(path.read_text())["nddr/table4"]["full"]["trainings"] == 8
    first: Listed = listed()[0]
    assert plain(first)["name"] == first.name == "cross_connected/penn_fudan"
    assert json.loads(path.read_text())[first.name]["small"]["steps"] == first.small.steps
