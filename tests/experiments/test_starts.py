"""What networks begin with: a file, the library's weights; what does not fit is told before anything trains."""

from functools import partial
from pathlib import Path

import pytest
import timm
import torch
from experiments.tiny import Told, tiny
from torch import nn

from taskweave.experiments.bench import Bench
from taskweave.experiments.comparison import compare
from taskweave.experiments.plan import all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.heads import ASPP
from taskweave.networks.resnet.deeplab_resnet import deeplab_resnet
from taskweave.parts import part
from taskweave.training import WrongCheckpointError, save_weights
from taskweave.weaving.connected import Connected

LAYER = "body.layer2.0.conv1.weight"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))


def network(classes: int, body: str = "resnet10t") -> nn.Module:
    return deeplab_resnet(classes, body=body, head=part(ASPP, rates=(1, 2), hidden=None))


def started(recipe: Recipe, folder: Path) -> Connected:
    """The network of the recipe's first single run, with what it begins with."""
    bench, run = Bench(recipe), all_runs(entries(recipe))[0]
    net = bench.build(run, shapes_only=True)
    run.method.load(net, run, folder / "runs")
    return net


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_a_file_gives_everything_but_the_last_layer(tmp_path: Path, suffix: str) -> None:
    source, path = network(21), tmp_path / f"voc.{suffix}"
    if suffix == "pt":
        torch.save({"state_dict": source.state_dict(), "epoch": 7}, path)
    else:
        save_weights(source, path)
    ours = started(tiny(start={"use": "file", "path": str(path)}), tmp_path).stream("segmentation").net.state_dict()
    theirs = source.state_dict()
    assert {key for key in ours if not torch.equal(ours[key], theirs[key])} == {
        f"head.fc8.{i}.{part}" for i in (0, 1) for part in ("weight", "bias") if ours[f"head.fc8.{i}.{part}"].shape[0] != 21
    }
    assert ours["head.fc8.0.weight"].shape[0] != 21


def test_files_that_do_not_fit(tmp_path: Path) -> None:
    start = {"use": "file", "path": str(tmp_path / "none.pt")}
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none\.pt to load weights from"):
        compare(tiny(start=start, methods=[]), folder=tmp_path)
    save_weights(network(5, body="resnet18"), tmp_path / "other.safetensors")
    told = Told()
    with pytest.raises(WrongCheckpointError, match=r"other\.safetensors holds another network than DeepLabResNet: .*body"):
        compare(tiny(start={"use": "file", "path": str(tmp_path / "other.safetensors")}), folder=tmp_path, progress=told)
    assert told.trainings == 0


@pytest.mark.slow
def test_a_comparison_from_a_file(tmp_path: Path) -> None:
    save_weights(network(5), tmp_path / "w.safetensors")
    recipe = tiny(start={"use": "file", "path": str(tmp_path / "w.safetensors")}, methods=[])
    done = compare(recipe, folder=tmp_path)
    assert done.finished and done.result.methods == ("single",)


def test_library_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = timm.create_model("resnet10t")
    plain = timm.create_model

    def create(name: str, *, pretrained: bool, **options: object) -> nn.Module:
        return source if pretrained else plain(name, pretrained=False, **options)

    monkeypatch.setattr(timm, "create_model", create)
    net = started(tiny(start={"use": "library"}), tmp_path)
    assert torch.equal(net.stream("segmentation").net.state_dict()[LAYER], source.state_dict()[LAYER.removeprefix("body.")])


def test_library_weights_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = timm.create_model

    def offline(name: str, *, pretrained: bool, **options: object) -> nn.Module:
        if pretrained:
            raise OSError("Name or service not known")
        return plain(name, pretrained=False, **options)

    monkeypatch.setattr(timm, "create_model", partial(offline))
    message = "could not download timm's resnet10t: OSError: Name or service not known.*load a file you have"
    with pytest.raises(ConnectionError, match=message):
        compare(tiny(start={"use": "library"}), folder=tmp_path)
