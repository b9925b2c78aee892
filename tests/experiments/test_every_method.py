"""Every method of the closed set goes through a whole comparison; the start and shortcuts arrive where they should."""

from pathlib import Path

import pytest
import torch
from experiments.tiny import tiny

from taskweave.data.generated.looks import CLASSES
from taskweave.experiments.bench import Bench
from taskweave.experiments.comparison import compare
from taskweave.experiments.plan import all_runs, entries
from taskweave.training import read_state

METHODS = [
    {"use": "ensemble"},
    {"use": "shared", "until": "layer2"},
    {"use": "shared", "until": "layer4", "shortcut": "shortcut"},
    {"use": "shared_latent", "rank": 4},
    {"use": "sluice"},
    {"use": "cross_connection", "links": [["segmentation", "normals"]]},
    {"use": "one_task", "connected": {"use": "connected", "unit": "cross_stitch"}},
    {"use": "nddr", "shortcut": "shortcut"},
]
START = {"use": "scenes", "steps": 1, "images": 4, "size": [32, 48], "batch_size": 2}


@pytest.mark.slow
def test_every_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))
    recipe = tiny(methods=METHODS, start=START, single_trained_on=True)
    done = compare(recipe, folder=tmp_path)
    assert done.finished
    assert done.result.methods == tuple(m.title for m in recipe.rows)
    for row in done.result.rows:
        assert set(row.metrics) == {"segmentation", "normals"}, row.method
    size = {row.method: row.parameters for row in done.result.rows}
    assert size["ensemble"] == 2 * size["single"]
    assert size["shared until layer2"] < size["single"]
    # a 1x1 convolution and a batch norm per task from all five places (64 + 64 + 128 + 256 + 512) to 512
    shortcut = 512 * (64 + 64 + 128 + 256 + 512) + 2 * 512
    heads = sum(2 * (512 * 9 + 1) * channels for channels in (len(CLASSES), 3))  # two rates
    body = (size["single"] - heads) // 2
    assert size["shared until layer4 + shortcut"] == body + heads + 2 * shortcut

    runs = {run.title: run for run in all_runs(entries(recipe))}
    bench, folder = Bench(recipe), tmp_path / "runs"
    single = runs["single normals, seed 0"]
    fresh = bench.build(single, shapes_only=True)
    single.method.load(fresh, single, folder)
    body = read_state(folder / runs["bodies pre-trained on scenes"].digest / "weights.safetensors")
    ours = fresh.stream("normals").net.state_dict()
    assert torch.equal(ours["body.layer3.0.conv1.weight"], body["streams.segmentation.net.body.layer3.0.conv1.weight"])
    assert ours["head.fc8.0.weight"].shape[0] == 3  # the head is the task's own

    connected = runs["NDDR + shortcut, seed 0"]
    net = bench.build(connected, shapes_only=True)
    connected.method.load(net, connected, folder)
    for position, parent in enumerate(connected.parents):
        stored = read_state(folder / parent.digest / "weights.safetensors")
        gathered = [net.connection(i) for i in range(len(net.connections)) if net.connection(i).gathers][position]
        last = max(int(key.split(".")[1]) for key in stored if key.startswith("connections."))
        for name, value in gathered.state_dict().items():
            assert torch.equal(value, stored[f"connections.{last}.{name}"]), name
