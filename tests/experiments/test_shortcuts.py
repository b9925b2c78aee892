"""NDDR's table 6: the shortcut on single, shared and every connected network, from the recipe to the built network."""

from typing import Any

import pytest
import torch
from experiments.tiny import tiny

from taskweave.experiments.bench import Bench
from taskweave.experiments.plan import Run, all_runs, entries
from taskweave.training.groups import groups_of
from taskweave.units.gathering import Shortcut
from taskweave.weaving.connected import Connected

WIDTHS = (64, 64, 128, 256, 512)  # of a ResNet-10t's stem and layers
METHODS = (
    {"use": "single"},
    {"use": "shared", "until": "layer2"},
    {"use": "cross_stitch"},
    {"use": "sluice"},
    {"use": "sluice", "label": "sluice without mixing", "layer_mixing": False},
    {"use": "nddr"},
    {"use": "cross_connection"},
    {"use": "scale_layer"},
    {"use": "one_task", "connected": {"use": "connected", "unit": "nddr"}},
)


def with_shortcut(method: dict[str, Any]) -> dict[str, Any]:
    """The method with a shortcut; one that is trained on one task has it in the network that is trained."""
    if "connected" in method:
        return {**method, "connected": with_shortcut(method["connected"])}
    return {**method, "shortcut": "shortcut"}


def built(run: Run, bench: Bench) -> Connected:
    """A run's network from shapes alone."""
    tasks = bench.shapes_only  # made here: losses check weights, which have no values on the meta device
    with torch.device("meta"):
        return run.method.build(run, tasks, bench.example("meta"))


def costs(methods: list[dict]) -> dict[str, int]:
    """The numbers of every method's networks."""
    recipe = tiny(methods=methods)
    bench = Bench(recipe)
    rows = {entry.row.title: entry for entry in entries(recipe)}
    return {
        title: sum(p.numel() for run in entry.runs for p in built(run, bench).parameters()) for title, entry in rows.items()
    }


def test_every_method_gets_one_for_each_task() -> None:
    """1x1 convolutions of all places' channels to 512, and a batch norm, for each of two tasks."""
    plain = costs([{**method} for method in METHODS])
    with_it = costs([with_shortcut(method) for method in METHODS])
    own = {title: title.replace(" + shortcut", "") for title in with_it}
    assert len(plain) == len(with_it) == len(METHODS)
    for title, size in with_it.items():
        times = 2 if "trained on one task" in title else 1  # one such network per task
        assert size - plain[own[title]] == times * 2 * (512 * sum(WIDTHS) + 2 * 512), title


def test_its_options_arrive() -> None:
    """Two places, another width of the last layer's input, and a bias in the place of the batch norm."""
    at = ["layer3", "layer4"]
    plain = costs([{"use": "single"}, {"use": "nddr", "at": at}])
    some = {"use": "shortcut", "channels": 512, "normalise": False}
    made = costs([{"use": "single", "shortcut": some, "shortcut_at": at}, {"use": "nddr", "at": at, "shortcut": some}])
    assert made["single + shortcut"] - plain["single"] == 2 * (512 * (256 + 512) + 512)
    assert made["NDDR + shortcut"] - plain["NDDR"] == 2 * (512 * (256 + 512) + 512)


def test_single_networks_gather_from_where_the_connected_one_will_meet() -> None:
    """So that what they learn there fits into it."""
    nddr = {"use": "connected", "unit": "nddr", "at": ["layer3", "layer4"], "shortcut": "shortcut"}
    once = {"use": "one_task", "connected": nddr}
    for method in (nddr, once):
        recipe = tiny(methods=[method])
        connected = entries(recipe)[-1].runs[0]
        bench = Bench(recipe)
        for parent in connected.parents:
            (stream,) = parent.tasks
            theirs, ours = (
                [c for c in map(net.connection, range(len(net.connections))) if c.gathers and list(c.at) == [stream]]
                for net in (built(run, bench) for run in (parent, connected))
            )
            assert [c.at for c in theirs] == [c.at for c in ours] == [{stream: ("layer3", "layer4")}]


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        (
            [{"use": "nddr", "shortcut": "shortcut", "shortcut_at": ["layer4"]}],
            r"'NDDR \+ shortcut' gathers at \['layer4'\], but its streams meet at the usual stages of its networks",
        ),
        (
            [{"use": "nddr", "at": ["layer1", "layer4"], "shortcut": "shortcut", "shortcut_at": ["layer4"]}],
            r"its streams meet at \['layer1', 'layer4'\].*leave `shortcut_at` out",
        ),
        ([{"use": "shared_latent", "shortcut": "shortcut"}], "unknown option 'shortcut' of shared_latent"),
        (
            [{"use": "one_task", "connected": {"use": "connected", "unit": "nddr"}, "shortcut": "shortcut"}],
            "unknown option 'shortcut' of one_task",
        ),
    ],
)
def test_shortcuts_that_cannot_be(methods: list[dict], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tiny(methods=methods)


@pytest.mark.parametrize("title", ["single", "shared until layer2 + shortcut", "NDDR + shortcut"])
def test_the_last_place_hands_on_what_the_shortcut_makes_of_all(title: str) -> None:
    """Against its definition: 1x1 convolution, batch norm in eval mode and ReLU of the stages, resized and concatenated."""
    recipe = tiny(methods=[with_shortcut(method) for method in (METHODS[0], *METHODS[1:6:4])])
    run = next(run for run in all_runs(entries(recipe)) if run.title.startswith(title))
    bench = Bench(recipe)
    net = bench.build(run, shapes_only=True).eval()
    gathering = [net.connection(i) for i in range(len(net.connections)) if net.connection(i).gathers]
    assert [list(connection.at) for connection in gathering] == [[name] for name in run.tasks]
    seen: dict[str, tuple[list[torch.Tensor], torch.Tensor]] = {}
    for connection in gathering:
        assert isinstance(connection.unit, Shortcut)
        (name,) = connection.at
        connection.unit.register_forward_hook(lambda unit, args, out, name=name: seen.update({name: (args[0], out[0])}))
    with torch.no_grad():
        outputs = net(torch.randn(1, 3, 32, 48))
        for connection in gathering:
            (name,) = connection.at
            stages, handed_on = seen[name]
            assert [x.shape[1] for x in stages] == list(WIDTHS)
            size = stages[-1].shape[-2:]
            resized = [torch.nn.functional.interpolate(x, size=size, mode="bilinear", align_corners=False) for x in stages]
            weight = connection.unit.convolution.weight[:, :, 0, 0]
            made = torch.einsum("oc,bchw->bohw", weight, torch.cat(resized, 1)) / (1 + 1e-3) ** 0.5
            torch.testing.assert_close(handed_on, made.relu(), rtol=1e-4, atol=1e-5)
            assert torch.equal(net.stream(name).net.head(handed_on), outputs[name])


def test_the_rate_of_a_row_is_its_units_alone() -> None:
    """NDDR's table 6 speeds its units up, not the shortcut, which starts at random; nor a sluice's layer mixing."""
    rows = [{"use": "cross_stitch", "rate": 1000, "shortcut": "shortcut"}, {"use": "sluice", "rate": 50}]
    recipe = tiny(methods=rows)
    bench = Bench(recipe)
    wanted = (("CrossStitch", 1000, "Shortcut"), ("Sluice", 50, "LayerMixing"))
    woven = [run for entry in entries(recipe) if entry.row.unit is not None for run in entry.runs]
    for (unit, rate, other), run in zip(wanted, woven, strict=True):
        groups = groups_of(built(run, bench), run.options)
        found = {group.label: group.multiplier for group in groups if "connections" in group.label}
        assert found == {f"{unit} connections": rate, f"{other} connections": 1}
