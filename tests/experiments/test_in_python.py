"""Recipes of plain Python: calls and modules as networks, torch data sets as data; and what cannot leave its process."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from experiments.test_own_parts import HEAD, KINDS, content
from experiments.tiny import CONTENT
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import Dataset

import taskweave as tw
from taskweave.data import Depth
from taskweave.experiments.bench import Bench
from taskweave.experiments.launch.processes import Processes
from taskweave.experiments.plan import entries
from taskweave.experiments.predicting import predict_pictures
from taskweave.experiments.running import load_network

SIZE = (32, 48)
TRAINING = {key: dict(value) for key, value in CONTENT["training"].items()}
STITCH = {"use": "cross_stitch", "self_weight": 1.0, "other_weight": 0.0, "at": ["body"]}
"""As it starts every stream is what it is alone, exactly."""


class Noise(Dataset[dict[str, Any]]):
    """Random pictures with a mask of two classes and a depth, the same for a seed."""

    labels = ("seg", "depth")
    categories = {"seg": ("back", "front")}  # noqa: RUF012 - as somebody's own data set has it

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed, self.identity = count, seed, f"noise {count} {seed}"

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        generator = torch.Generator().manual_seed(1000 * self.seed + index)
        return {
            "image": torch.randint(0, 256, (3, *SIZE), generator=generator, dtype=torch.uint8),
            "seg": torch.randint(0, 2, SIZE, generator=generator),
            "depth": Depth(torch.rand(1, *SIZE, generator=generator) + 1),
        }


def make_seg(channels: int, *, width: int = 6) -> nn.Module:
    body = nn.Sequential(nn.Conv2d(3, width, 3, 8, 1), nn.ReLU())
    return nn.Sequential(OrderedDict(body=body, head=nn.Conv2d(width, channels, 1)))


class DepthNet(nn.Module):
    """Another type of network, with stages of the same names."""

    def __init__(self, channels: int, *, width: int = 6) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, width, 5, 8, 2), nn.ReLU())
        self.head = nn.Conv2d(width, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


def recipe(seg: Any = make_seg, depth: Any = DepthNet, **changes: Any) -> tw.Recipe:
    given: dict[str, Any] = {
        "networks": {"seg": seg, "depth": depth},
        "data": {"train": Noise(8, 1), "test": Noise(4, 2)},
        "tasks": {"seg": {"use": "segmentation"}, "depth": {}},
        "methods": [STITCH],
        "single_trained_on": False,
        "training": TRAINING,
        "evaluation": {"batch_size": 4, "pictures": 0},
        **changes,
    }
    return tw.Recipe(**given)


@pytest.mark.slow
def test_plain_calls_of_another_type_for_each_task(tmp_path: Path) -> None:
    done = tw.compare(recipe(seeds=range(2)), folder=tmp_path)
    assert done.finished, done.result.failed
    assert done.result.methods == ("single", "cross-stitch") and done.result.seeds == (0, 1)
    assert all(set(row.metrics) == {"seg", "depth"} for row in done.result.rows)


@pytest.mark.slow
def test_trained_modules_are_compared_as_given_and_woven_from_their_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    given = {"seg": make_seg(2), "depth": DepthNet(1)}
    before = {name: {key: value.clone() for key, value in net.state_dict().items()} for name, net in given.items()}
    made = recipe(**given)
    done = tw.compare(made, folder=tmp_path)
    assert done.finished, done.result.failed
    assert done.result.methods == ("as given", "cross-stitch")
    bench, (run,) = Bench(made), entries(made)[1].runs
    net = bench.build(run)
    run.method.load(net, run, tmp_path / "runs")
    net.eval()
    x = torch.randn(2, 3, *SIZE)
    targets = {
        "seg": torch.stack([Noise(8, 1)[i]["seg"] for i in range(2)]),
        "depth": torch.stack([Noise(8, 1)[i]["depth"].as_subclass(Tensor) for i in range(2)]),
    }
    with torch.no_grad():
        outputs = net(x)
        for name, alone in given.items():
            theirs = alone.eval()(x)
            assert torch.equal(outputs[name], theirs)
            losses = [bench.tasks[name].loss(output, targets[name]) for output in (outputs[name], theirs)]
            assert torch.equal(*losses), "the connected start has the given networks' loss"
    for one, name in zip(entries(made)[0].runs, given, strict=True):
        stored = load_network(one, bench, tmp_path).stream(name).net.state_dict()
        assert all(torch.equal(stored[key], value) for key, value in before[name].items())
        assert all(torch.equal(given[name].state_dict()[key], value) for key, value in before[name].items()), "untouched"


def test_modules_are_known_by_their_weights_and_data_by_what_they_state() -> None:
    torch.manual_seed(0)
    seg, depth = make_seg(2), DepthNet(1)
    (first, _), (again, _) = (entries(recipe(seg, depth))[0].runs for _ in range(2))
    assert first.digest == again.digest
    with torch.no_grad():
        next(seg.parameters()).add_(1)
    assert entries(recipe(seg, depth))[0].runs[0].digest != first.digest
    other = recipe(seg, depth, data={"train": Noise(8, 7), "test": Noise(4, 2)})
    assert entries(other)[0].runs[0].digest != entries(recipe(seg, depth))[0].runs[0].digest


def test_a_data_set_that_states_nothing_is_refused() -> None:
    train, test = Noise(8, 1), Noise(4, 2)
    del train.identity, test.identity
    with pytest.raises(ValueError, match="a Noise has no weights to be known by: state identity ="):
        recipe(data={"train": train, "test": test})


def test_lambdas_are_refused() -> None:
    with pytest.raises(ValueError, match=r"networks\.seg: a lambda cannot be a part: no other process could find it"):
        recipe(seg=lambda channels: make_seg(channels))


@pytest.mark.slow
@pytest.mark.parametrize("what", ["network", "data"])
def test_live_objects_stay_in_their_process(what: str, tmp_path: Path) -> None:
    made = recipe(make_seg(2), DepthNet(1)) if what == "network" else recipe()
    with pytest.raises(
        ValueError, match=r"lives in this process alone, so it runs neither with --jobs nor on Ray; write a"
    ):
        tw.compare(made, folder=tmp_path, launcher=Processes(2))


@pytest.mark.slow
def test_predicting_with_code_of_ones_own_asks_for_it_and_refuses_changed_code(tmp_path: Path) -> None:
    code, file = tmp_path / "own_predicted.py", tmp_path / "own.yaml"
    code.write_text(HEAD + KINDS["network"][0])
    file.write_text(yaml.safe_dump(content("network", f"{code.name}:Own"), sort_keys=False))
    done = tw.compare(tw.Recipe.from_yaml(file), folder=tmp_path / "results")
    assert done.finished, done.result.failed
    run = tmp_path / "results" / "runs" / done.result.rows[-1].runs[0]
    picture = tmp_path / "room.png"
    Image.new("RGB", (48, 32), (90, 120, 30)).save(picture)
    with pytest.raises(ValueError, match=r"names code of its own.*--recipe my\.yaml.*--allow my_nets\.py"):
        predict_pictures(run, [picture], tmp_path / "out")
    for allowed in ({"recipe": file}, {"allow": [code]}):
        assert predict_pictures(run, [picture], tmp_path / "out", **allowed)  # type: ignore[arg-type]
    code.write_text(code.read_text() + "# changed\n")
    for allowed in ({"recipe": file}, {"allow": [code]}):
        with pytest.raises(ValueError, match=r"was it, or code that it names, changed\?"):
            predict_pictures(run, [picture], tmp_path / "out", **allowed)  # type: ignore[arg-type]
