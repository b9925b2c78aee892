"""What connections learned, by place and stream; of networks at hand and of stored runs."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from experiments.tiny import tiny
from networks.toys import plain

import taskweave as tw
from taskweave.experiments.artifacts.unit_weights import keep_unit_weights, unit_weights
from taskweave.experiments.bench import Bench
from taskweave.experiments.plan import Run, entries
from taskweave.results.run_files import read_units
from taskweave.units import NDDR, CrossStitch, LaneMixing

SHAPES = [tw.FeatureShape.image(4, 5, 4)] * 2


def test_places_directions_and_ratios() -> None:
    first, second = CrossStitch(SHAPES, matrix=[[0.8, 0.4], [0.3, 0.0]]), NDDR(SHAPES, self_weight=0.5, other_weight=0.25)
    connections = [tw.Connection({"a": "s1", "b": "s2"}, first), tw.Connection({"a": "s2", "b": "s3"}, second)]
    links = unit_weights(tw.Connected(plain("ab"), connections))
    assert {link.place for link in links} == {"s1 / s2", "s2 / s3"}
    found = {(link.place, link.direction): link for link in links}
    crossing = found["s1 / s2", "b → a"]
    assert (crossing.norm, crossing.relative, crossing.own) == (pytest.approx(0.4), pytest.approx(0.5), False)
    assert found["s1 / s2", "b → b"].norm == 0.0 and found["s1 / s2", "b → b"].own
    assert found["s1 / s2", "a → b"].relative is None, "b takes nothing of its own there"
    assert found["s2 / s3", "a → b"].relative == pytest.approx(0.5) and found["s2 / s3", "a → b"].alphas == ()


def test_lanes_are_called_lanes_and_a_stage_met_twice_gets_a_number() -> None:
    lanes = LaneMixing([tw.FeatureShape.image(4, 5, 4)], matrix=((0.5, 0.25), (0.1, None)))
    net = tw.Connected(plain("a"), [tw.Connection({"a": "s1"}, lanes), tw.Connection({"a": ("s1",)}, lanes)])
    links = unit_weights(net)
    assert [link.direction for link in links[:3]] == ["lane 1 → lane 1", "lane 2 → lane 1", "lane 1 → lane 2"]
    assert [link.relative for link in links[:3]] == [1.0, pytest.approx(0.5), None]
    assert [link.place for link in links] == ["s1"] * 3 + ["s1 (2)"] * 3


@pytest.fixture
def run() -> tuple[Run, Bench]:
    recipe = tiny()
    return entries(recipe)[-1].runs[0], Bench(recipe)


def test_what_a_run_learned_is_read_without_its_network(run: tuple[Run, Bench], tmp_path: Path) -> None:
    one, bench = run
    net = bench.build(one, shapes_only=True)
    for index in range(len(net.connections)):
        unit = net.connection(index).unit
        assert isinstance(unit, CrossStitch)
        with torch.no_grad():
            unit.alpha.copy_(torch.tensor([[0.75, 0.5], [0.25, 1.5]])[:, :, None].expand_as(unit.alpha))
    keep_unit_weights(net, one, tmp_path)
    links = read_units(tmp_path)
    assert links == list(unit_weights(net))
    crossing = {(link.place, link.direction): link for link in links if not link.own}
    assert len(crossing) == 10
    for (_, direction), link in crossing.items():
        expected = {"normals → segmentation": 0.5 / 0.75, "segmentation → normals": 0.25 / 1.5}[direction]
        assert link.relative == pytest.approx(expected)


def test_of_a_network_trained_for_one_task_what_leads_to_its_stream(run: tuple[Run, Bench], tmp_path: Path) -> None:
    one, bench = run
    net = bench.build(one, shapes_only=True)
    keep_unit_weights(net, replace(one, trained=("normals",)), tmp_path)
    assert {link.destination for link in read_units(tmp_path)} == {"normals"}


def test_networks_without_connections_have_none(run: tuple[Run, Bench], tmp_path: Path) -> None:
    single = run[0].parents[0]
    keep_unit_weights(run[1].build(single, shapes_only=True), single, tmp_path)
    assert not list(tmp_path.iterdir()) and read_units(tmp_path) == []
