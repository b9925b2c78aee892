"""One's own parts as equals of ours: for each kind a file with a new one, compared from YAML and from Python."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from experiments.tiny import CONTENT, Told

import taskweave as tw
from taskweave.experiments.launch.processes import Processes
from taskweave.experiments.plan import all_runs, entries

HEAD = "from __future__ import annotations\nimport torch\nfrom torch import nn\nimport taskweave as tw\n"

KINDS: dict[str, tuple[str, Callable[[dict[str, Any], Any], None]]] = {
    "unit": (
        "class Own(tw.Unit):\n"
        "    def __init__(self, shapes, *, share: float = 0.2) -> None:\n"
        "        super().__init__(shapes)\n"
        "        self.share = nn.Parameter(torch.tensor(share))\n"
        "    def forward(self, features):\n"
        "        total = sum(features)\n"
        "        return [f + self.share * (total - f) for f in features]\n",
        lambda c, own: c.update(methods=["cross_stitch", own]),
    ),
    "network": (
        "def Own(channels, *, width: int = 8) -> nn.Module:\n"
        "    return nn.Sequential(nn.Conv2d(3, width, 3, 8, 1), nn.ReLU(), nn.Conv2d(width, width, 3, 1, 1), nn.ReLU(),\n"
        "                         nn.Conv2d(width, channels, 1))\n",
        lambda c, own: c.update(network=own, at=["1"]),
    ),
    "joint network": (
        "from taskweave.weaving import Connected\n"
        "def Own(outputs, *, width: int = 8) -> Connected:\n"
        "    def net(channels):\n"
        "        return nn.Sequential(nn.Conv2d(3, width, 3, 8, 1), nn.ReLU(), nn.Conv2d(width, channels, 1))\n"
        "    streams = {name: tw.trace_stream(net(channels), stages=['1'], example=torch.zeros(1, 3, 32, 48))\n"
        "               for name, channels in outputs.items()}\n"
        "    return Connected(streams)\n",
        lambda c, own: c.update(methods=["cross_stitch", own]),
    ),
    "head": (
        "from taskweave.heads import Head\n"
        "class Own(Head):\n"
        "    def __init__(self, shape, channels, *, hidden: int = 4) -> None:\n"
        "        super().__init__(shape, channels)\n"
        "        into, out = nn.Conv2d(shape.channels, hidden, 1), nn.Conv2d(hidden, channels, 1)\n"
        "        self.logits = nn.Sequential(into, nn.ReLU(), out)\n"
        "    def finish(self, x):\n"
        "        return self.logits(x)\n",
        lambda c, own: c["network"].update(head=own),
    ),
    "task": (
        "class Own(tw.tasks.Segmentation):\n"
        "    def __init__(self, labels, *, smoothing: float = 0.1) -> None:\n"
        "        super().__init__(labels, loss_resolution='eighth')\n"
        "        self.smoothing = smoothing\n"
        "    def loss(self, output, target):\n"
        "        return super().loss(output, target) * (1 - self.smoothing)\n",
        lambda c, own: c["tasks"].update(segmentation=own),
    ),
    "metric": (
        "from torchmetrics import Metric\n"
        "class Own(Metric):\n"
        "    directions = {'share': 'higher'}\n"
        "    def __init__(self, task, *, cut: float = 0.5) -> None:\n"
        "        super().__init__()\n"
        "        self.cut = cut\n"
        "        self.add_state('hits', torch.zeros(()), dist_reduce_fx='sum')\n"
        "        self.add_state('seen', torch.zeros(()), dist_reduce_fx='sum')\n"
        "    def update(self, prediction, target):\n"
        "        self.hits += (prediction == target).float().mean() > self.cut\n"
        "        self.seen += 1\n"
        "    def compute(self):\n"
        "        return {'share': self.hits / self.seen}\n",
        lambda c, own: c["tasks"]["segmentation"].update(metrics=[own]),
    ),
    "data set": (
        "from taskweave.data import LabelledSet, scenes\n"
        "def Own(part, *, size: int = 32) -> LabelledSet:\n"
        "    return scenes(part, train=6, test=4, size=(size, size), seed=5)\n",
        lambda c, own: c.update(data=own),
    ),
    "mixture": (
        "from taskweave.data import RoundRobin\nclass Own(RoundRobin):\n    pass\n",
        lambda c, own: c.update(
            data={
                "sets": {
                    "one": {**CONTENT["data"], "labels": ["segmentation"]},
                    "two": {**CONTENT["data"], "seed": 4, "labels": ["normals"]},
                },
                "mixture": own,
            }
        ),
    ),
    "transform": (
        "from torchvision.transforms import v2\n"
        "class Own(v2.RandomGrayscale):\n"
        "    def __init__(self, *, share: float = 0.5) -> None:\n"
        "        super().__init__(p=share)\n",
        lambda c, own: c["data"].update(augment=[own, "mirror"]),
    ),
    "weighting": (
        "class Own(tw.weighting.Weighting):\n"
        "    def __init__(self, tasks, *, power: float = 0.5) -> None:\n"
        "        super().__init__(list(tasks))\n"
        "        self.power = power\n"
        "    def forward(self, losses):\n"
        "        self.check_losses(losses)\n"
        "        return sum(loss ** self.power for loss in losses.values())\n"
        "    def weights(self):\n"
        "        return {}\n",
        lambda c, own: c.update(methods=["cross_stitch", {"use": "cross_stitch", "label": "own", "weighting": own}]),
    ),
    "optimizer": (
        "from torch.optim import Optimizer, RMSprop\n"
        "def Own(groups, *, lr: float = 1e-3) -> Optimizer:\n"
        "    return RMSprop(groups, lr=lr)\n",
        lambda c, own: c["training"]["single"].update(optimizer=own),
    ),
    "schedule": (
        "from taskweave.training import Schedule\n"
        "class Own(Schedule):\n"
        "    def __init__(self, steps, *, floor: float = 0.1) -> None:\n"
        "        self.steps, self.floor = steps, floor\n"
        "    def __call__(self, step):\n"
        "        return max(self.floor, 1 - step / self.steps)\n",
        lambda c, own: c["training"]["single"].update(schedule=own),
    ),
    "start": (
        "from taskweave.experiments import Start\n"
        "def Own(stream, *, scale: float = 0.9) -> Start:\n"
        "    with torch.no_grad():\n"
        "        for p in stream.net.parameters():\n"
        "            p *= scale\n"
        "    return Start(source='scaled')\n",
        lambda c, own: c.update(start=own),
    ),
    "method": (
        "from taskweave.experiments import Method, Run, first_of\n"
        "from taskweave.experiments.methods.streams import streams_of\n"
        "from taskweave.weaving import Connected\n"
        "class Own(Method):\n"
        "    title = 'side by side'\n"
        "    def __init__(self, *, note: str = '') -> None:\n"
        "        self.note = note\n"
        "    def runs(self, row, recipe, seed):\n"
        "        tasks = tuple(recipe.tasks)\n"
        "        return (Run(recipe, row, 'joint', tasks, tasks, seed, first_of(recipe)),)\n"
        "    def build(self, run, tasks, example):\n"
        "        return Connected(streams_of(run, tasks))\n",
        lambda c, own: c.update(methods=["cross_stitch", own]),
    ),
}


def content(kind: str, own: Any) -> dict[str, Any]:
    made = deepcopy(CONTENT)
    KINDS[kind][1](made, own)
    return made


@pytest.fixture
def mine(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The file with the part, under a name of its own: modules are kept by name."""
    kind = request.node.callspec.params.get("kind", "unit")
    path = tmp_path / f"own_{kind.replace(' ', '_')}.py"
    path.write_text(HEAD + KINDS[kind][0])
    return path


def from_yaml(kind: str, path: Path, own: Any = None) -> tw.Recipe:
    file = path.with_suffix(".yaml")
    file.write_text(yaml.safe_dump(content(kind, own or f"{path.name}:Own"), sort_keys=False))
    return tw.Recipe.from_yaml(file)


def imported(path: Path) -> Any:
    """The call as somebody's own script would have it: its module imported from its folder."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
        return module.Own
    finally:
        sys.modules.pop(path.stem)
        sys.modules[path.stem] = module


def digests(recipe: tw.Recipe) -> list[str]:
    return [run.digest for run in all_runs(entries(recipe))]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_part_of_ones_own_is_compared_from_yaml_and_from_python(kind: str, mine: Path, tmp_path: Path) -> None:
    recipe = from_yaml(kind, mine)
    done = tw.compare(recipe, folder=tmp_path / "results")
    assert done.finished, done.result.failed
    assert len(done.result.methods) >= 2
    for row in done.result.rows:
        assert all(values for values in row.metrics.values())
    before = digests(recipe)
    call = imported(mine)
    try:
        python = tw.Recipe.model_validate(content(kind, call))
        assert digests(python) == before, "YAML and Python say the same"
        told = Told()
        assert tw.compare(python, folder=tmp_path / "results", progress=told).finished
        assert told.trainings == 0, "the runs of the one are the runs of the other"
    finally:
        sys.modules.pop(mine.stem, None)
    mine.write_text(mine.read_text() + "# changed\n")
    assert digests(from_yaml(kind, mine)) != before, "an edited file is another part"


@pytest.mark.parametrize("kind", KINDS)
def test_its_options_are_checked_like_ours(kind: str, mine: Path) -> None:
    if kind == "mixture":
        pytest.skip("the part of this test has no options")
    with pytest.raises(ValueError, match=r"unknown option 'wrong'.*of .*Own.*There is:"):
        from_yaml(kind, mine, {"use": f"{mine.name}:Own", "wrong": 1})


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["unit"])
def test_it_runs_in_worker_processes(kind: str, mine: Path, tmp_path: Path) -> None:
    recipe = from_yaml(kind, mine)
    done = tw.compare(recipe, folder=tmp_path / "results", launcher=Processes(2))
    assert done.finished, done.result.failed
    here = tw.compare(recipe, folder=tmp_path / "here")
    assert [row.metrics for row in done.result.rows] == [row.metrics for row in here.result.rows]


@pytest.mark.parametrize("name", ["os:system", "builtins:print", "subprocess:run", "json:dumps", "pathlib:Path"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_part_is_refused_before_anything_is_called(
    kind: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os
    import subprocess

    def called(*args: Any, **options: Any) -> None:
        raise AssertionError("it was called")

    monkeypatch.setattr(os, "system", called)
    monkeypatch.setattr(subprocess, "run", called)
    with pytest.raises(ValueError, match=r"is no|cannot be|is a class of fields|takes \*\*"):
        tw.Recipe.model_validate(content(kind, name))


@pytest.mark.slow
def test_two_commands_at_once_with_two_jobs_share_the_runs_of_ones_own_part(tmp_path: Path) -> None:
    """A unit of one's own, in two processes that each train in two processes of their own; none is in another's way."""
    path = tmp_path / "own_unit_twice.py"
    path.write_text(HEAD + KINDS["unit"][0])
    recipe = from_yaml("unit", path)
    program = Path(sys.executable).with_name("taskweave")
    command = [program, "compare", path.with_suffix(".yaml").name, "--out", "results", "--jobs", "2"]
    both = [subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate(timeout=280)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    stored = {folder.name for folder in (tmp_path / "results" / "runs").iterdir() if (folder / "run.json").is_file()}
    assert stored == set(digests(recipe))
    alone = tw.compare(recipe, folder=tmp_path / "here")
    together = tw.compare(recipe, folder=tmp_path / "results")
    assert [row.metrics for row in together.result.rows] == [row.metrics for row in alone.result.rows]
