"""Weights to a file and back, and stages."""

import pytest
import torch
from torch import nn
from training import toys

from taskweave.training import (
    WrongCheckpointError,
    load_stream_weights,
    load_streams,
    load_weights,
    read_state,
    save_weights,
    train_singles,
)
from taskweave.weaving.connected import Connected
from taskweave.weaving.plan import Connection


def tied():
    unit = toys.Mix()
    streams = {"a": toys.stream(), "b": toys.stream()}
    streams["b"].net.body = streams["a"].net.body
    return Connected(streams, [Connection({"a": "body", "b": "body"}, unit), Connection({"a": "last", "b": "last"}, unit)])


def test_round_trip_with_tied_weights_and_channels_last(tmp_path):
    net, fresh = tied(), tied()
    net.to(memory_format=torch.channels_last)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_()
    save_weights(net, tmp_path / "w.safetensors")
    load_weights(fresh, tmp_path / "w.safetensors")
    toys.assert_same_state(toys.state_of(net), toys.state_of(fresh))
    untied = Connected({"a": toys.stream(), "b": toys.stream()}, [])
    with pytest.raises(WrongCheckpointError, match=r"2 keys unexpected: connections\.0\.unit\.matrix, connections\.1"):
        load_weights(untied, tmp_path / "w.safetensors")


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "epoch": 3}], ids=["plain", "wrapped"])
def test_checkpoint_of_plain_training_loads(tmp_path, wrap):
    plain = toys.ToyNet()
    torch.save(wrap(plain.state_dict()), tmp_path / "plain.pth")
    net = toys.network()
    load_stream_weights(net.stream("a"), tmp_path / "plain.pth")
    toys.assert_same_state(plain.state_dict(), net.stream("a").net.state_dict())


def test_one_stream_of_a_connected_network(tmp_path):
    source, net = toys.network(), toys.network()
    nn.init.normal_(source.stream("b").net.last.weight)
    save_weights(source, tmp_path / "both.safetensors")
    load_stream_weights(net.stream("a"), tmp_path / "both.safetensors", name="b")
    toys.assert_same_state(source.stream("b").net.state_dict(), net.stream("a").net.state_dict())
    with pytest.raises(WrongCheckpointError, match=r"holds the streams \['a', 'b'\], asked for None; say which"):
        load_stream_weights(net.stream("a"), tmp_path / "both.safetensors")


def test_what_cannot_be_loaded(tmp_path):
    net = toys.network()
    with pytest.raises(FileNotFoundError, match=r"no file .*gone"):
        read_state(tmp_path / "gone")
    (tmp_path / "text.pth").write_text("hello")
    with pytest.raises(WrongCheckpointError, match="neither a safetensors file nor a torch checkpoint"):
        read_state(tmp_path / "text.pth")
    torch.save({"one": net.state_dict(), "two": net.state_dict()}, tmp_path / "two.pth")
    with pytest.raises(WrongCheckpointError, match=r"one state_dict, found 2 in \['one', 'two'\]"):
        read_state(tmp_path / "two.pth")
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "other.pth")
    with pytest.raises(WrongCheckpointError, match=r"9 keys missing: .*2 keys unexpected: weight, bias"):
        load_stream_weights(net.stream("a"), tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"no streams \['c'\]"):
        load_streams(net, {"c": tmp_path / "other.pth"})


def test_single_networks_first_then_connected(tmp_path):
    net = toys.network()
    singles = {"a": toys.stream(), "b": toys.stream()}
    options = toys.options(steps=3)
    results = train_singles(singles, toys.TASKS, toys.ToySamples(), options, folder=tmp_path, seed=0)
    matrix = net.connection(0).unit.matrix.clone()
    load_streams(net, {name: result.weights for name, result in results.items()})
    for name, stream in singles.items():
        toys.assert_same_state(stream.net.state_dict(), net.stream(name).net.state_dict())
    assert torch.equal(net.connection(0).unit.matrix, matrix)


def test_stages_stop_where_one_is_stopped(tmp_path):
    singles = {"a": toys.stream(), "b": toys.stream()}
    results = train_singles(
        singles, toys.TASKS, toys.ToySamples(), toys.options(), folder=tmp_path, seed=0, stop=toys.StopAfter(2)
    )
    assert list(results) == ["a"] and results["a"].stopped == "interrupted"
