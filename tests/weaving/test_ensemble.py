"""Ensembles: the outputs of all members that have a task."""

import pytest
import torch
from torch import nn

import taskweave as tw
from taskweave.streams.stream import Stream
from taskweave.weaving import Ensemble


def single(name: str, outputs: int) -> tw.Connected:
    return tw.Connected({name: Stream(nn.Sequential(nn.Conv2d(3, outputs, 1)), {"last": ("0",)})})


def test_two_networks_for_each_of_two_tasks() -> None:
    members = [single("seg", 4), single("seg", 4), single("normals", 3), single("normals", 3)]
    net, x = Ensemble(members), torch.randn(2, 3, 5, 5)
    outputs = net(x)
    assert list(outputs) == ["seg", "normals"] and net.tasks == ("seg", "normals")
    for name, pair in {"seg": members[:2], "normals": members[2:]}.items():
        assert len(outputs[name]) == 2
        assert all(torch.equal(o, m(x)[name]) for o, m in zip(outputs[name], pair, strict=True))
    assert sum(p.numel() for p in net.parameters()) == 2 * (3 * 4 + 4) + 2 * (3 * 3 + 3)


def test_only_what_is_asked_for_is_computed() -> None:
    members = [single("seg", 4), single("normals", 3)]
    calls: list[str] = []
    members[1].register_forward_hook(lambda *_: calls.append("normals"))
    outputs = Ensemble(members)(torch.randn(1, 3, 2, 2), tasks=["seg"])
    assert list(outputs) == ["seg"] and calls == []


def test_members_may_be_connected_networks() -> None:
    both = tw.Connected({"seg": single("seg", 4).stream("seg"), "depth": single("depth", 1).stream("depth")})
    net, x = Ensemble([both, single("seg", 4)]), torch.randn(1, 3, 2, 2)
    assert {name: len(found) for name, found in net(x).items()} == {"seg": 2, "depth": 1}
    inputs = {"seg": x, "depth": x + 1}
    assert torch.equal(net(inputs)["depth"][0], both(inputs)["depth"])


def test_errors_name_what_there_is() -> None:
    with pytest.raises(ValueError, match="at least one member"):
        Ensemble([])
    with pytest.raises(ValueError, match=r"has the task 'age'; the tasks are \['seg'\]"):
        Ensemble([single("seg", 4)])(torch.randn(1, 3, 2, 2), tasks=["age"])
