"""Whose statistics batch norms keep."""

import pytest
import torch
from data.mixture_toys import noise
from torch import nn
from training import toys

from taskweave.data.mixture import Mixture
from taskweave.data.mixture_order import ConstantInterval, RoundRobin
from taskweave.training import SetStatistics, TrainingOptions, WrongCheckpointError, fit, read_statistics, validate
from taskweave.training.norms import save_statistics

STILL = {"optimizer": {"use": "sgd", "lr": 1e-30, "momentum": 0}}


def mixture(schedule=None):
    sets = {"a": noise(8, ["a"]), "b": noise(8, ["b"], start=500)}
    return Mixture(sets, schedule or RoundRobin())


def train(folder, net, data=None, *, validation=None, **changes):
    data = data or mixture()
    return fit(net, toys.TASKS, data, toys.options(**changes), folder=folder, seed=0, validation=validation)


def expected_means(net, stream, data, name, steps):
    """r <- .9 r + .1 mean over batch and places of the convolution's output, over the batches of set `name`."""
    running = torch.zeros(4)
    for order in data.order(4, seed=0, first=0, last=steps):
        batch = [data[at] for at in order]
        if batch[0]["source"] == name:
            out = net.stream(stream).net.body[0](torch.stack([sample["image"] for sample in batch]))
            running = 0.9 * running + 0.1 * out.mean((0, 2, 3))
    return running.detach()


def test_per_data_set_by_definition(tmp_path):
    net = toys.network(dropout=0.0)
    start = toys.state_of(net)
    result = train(tmp_path, net, mixture(ConstantInterval(batches=2)), batch_norm="per_data_set", steps=7, **STILL)
    statistics = read_statistics(net, result.statistics)
    assert statistics.sets == ("a", "b")
    means = {}
    for name in ("a", "b"):
        statistics.use(name)
        for stream in ("a", "b"):
            norm = net.stream(stream).net.body[1]
            means[name, stream] = expected_means(net, stream, mixture(ConstantInterval(batches=2)), name, 7)
            torch.testing.assert_close(norm.running_mean, means[name, stream], rtol=1e-4, atol=1e-6)
        assert int(norm.num_batches_tracked) == {"a": 4, "b": 3}[name]  # a a b b a a b
    assert not torch.allclose(means["a", "a"], means["b", "a"])
    torch.testing.assert_close(net.stream("a").net.last.weight, start["streams.a.net.last.weight"])


def test_finished_network_has_those_of_all_sets_together(tmp_path):
    net = toys.network()
    result = train(tmp_path, net, batch_norm="per_data_set")
    norm = net.stream("a").net.body[1]
    pooled = norm.running_mean.clone(), norm.running_var.clone()
    statistics, parts = read_statistics(net, result.statistics), []
    for name in ("a", "b"):
        statistics.use(name)
        parts.append((norm.running_mean.clone(), norm.running_var.clone()))
    (m1, v1), (m2, v2) = parts
    torch.testing.assert_close(pooled[0], (m1 + m2) / 2)
    torch.testing.assert_close(pooled[1], (v1 + v2) / 2 + ((m1 - m2) / 2).square())


def test_validation_measures_each_set_with_its_own(tmp_path):
    net = toys.network()
    data = mixture()
    result = train(tmp_path, net, batch_norm="per_data_set", validation=data)
    statistics = read_statistics(net, result.statistics)
    for name in ("a", "b"):
        pooled = validate(net, {name: toys.ToyTask()}, data.sets[name], batch_size=4)
        statistics.use(name)
        own = validate(net, {name: toys.ToyTask()}, data.sets[name], batch_size=4)
        assert result.metrics[name]["error"] == pytest.approx(own[name]["error"], rel=1e-6)
        statistics.pool()
        assert abs(pooled[name]["error"] - own[name]["error"]) > 1e-5


def test_best_weights_keep_their_statistics(tmp_path):
    """The rate makes it worse and worse: the first validation is the best, and its statistics are of two batches."""
    net, data = toys.network(dropout=0.0), mixture()
    changes = {"optimizer": {"use": "sgd", "lr": 1.5}, "clip": 1.0, "choose": "best", "validate_every": 2}
    result = train(tmp_path, net, data, batch_norm="per_data_set", validation=data, **changes)
    step = next(v.step for v in result.history if v.metrics == result.metrics)
    assert step < 8
    statistics = read_statistics(net, result.statistics)
    assert validate(net, toys.TASKS, data, batch_size=4, statistics=statistics) == result.metrics
    statistics.use("a")
    assert int(net.stream("a").net.body[1].num_batches_tracked) == step // 2


def test_frozen_norms_learn_scales_and_keep_statistics(tmp_path):
    net = toys.network()
    before = toys.state_of(net)
    train(tmp_path, net, batch_norm="frozen", validation=mixture(), freeze={"streams": 2})
    for name, value in net.state_dict().items():
        if "running" in name or "tracked" in name:
            assert torch.equal(value, before[name])
    assert not torch.equal(net.stream("a").net.body[1].weight, before["streams.a.net.body.1.weight"])


def test_shared_norms_see_all_images(tmp_path):
    net = toys.network()
    train(tmp_path, net, steps=4)
    assert int(net.stream("a").net.body[1].num_batches_tracked) == 4


def test_default_does_not_change_what_a_training_is_known_by():
    assert "batch_norm" not in TrainingOptions(steps=1).determining()
    assert TrainingOptions(steps=1, batch_norm="frozen").determining()["batch_norm"] == "frozen"


def test_refusals(tmp_path):
    net = toys.network()
    statistics = SetStatistics(net, ["a", "b"])
    with pytest.raises(ValueError, match=r"no statistics of 'c'; there are those of \['a', 'b'\]"):
        statistics.use("c")
    for sources in (("c",), ("a", "b")):
        with pytest.raises(ValueError, match=r"kept for \['a', 'b'\]; this batch is from"), statistics.of(sources):
            pass
    save_statistics(statistics, tmp_path / "file")
    other = toys.network()
    other.stream("b").net.body[1] = nn.BatchNorm2d(5)
    with pytest.raises(WrongCheckpointError, match="4 of another shape"):
        read_statistics(other, tmp_path / "file")
    with pytest.raises(FileNotFoundError, match="train with batch_norm='per_data_set'"):
        read_statistics(net, tmp_path / "nothing")
