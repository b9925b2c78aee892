"""What a step does, and what it leaves alone."""

import csv
from typing import ClassVar

import pytest
import torch
from torch import nn
from training import toys

from taskweave.data.order import BatchOrder, EpochOrder
from taskweave.training import Validation, fit, validate
from taskweave.training.batches import training_batches
from taskweave.training.validation import gain, reported, validation_steps
from taskweave.weighting.weighting import Fixed

USUAL = toys.ToySamples()


def train(folder, net, samples=USUAL, *, tasks=toys.TASKS, weighting=None, trained=None, validation=None, **changes):
    return fit(
        net,
        tasks,
        samples,
        toys.options(**changes),
        folder=folder,
        seed=0,
        weighting=weighting,
        trained=trained,
        validation=validation,
    )


def test_first_step_is_plain_sgd_of_the_weighted_losses(tmp_path):
    """Against the update written out: w - lr * d(2 L_a + 3 L_b)/dw, the connection at 5 times the rate."""
    net = toys.network(norm=False, dropout=0.0)
    samples = toys.ToySamples(4)
    batch = [samples[i, 0] for i in range(4)]
    image = torch.stack([s["image"] for s in batch])
    outputs = net(image)
    loss = sum(w * (outputs[t] - torch.stack([s[t] for s in batch])).square().mean() for t, w in (("a", 2), ("b", 3)))
    names, parameters = zip(*net.named_parameters(), strict=True)
    gradients = torch.autograd.grad(loss, parameters)
    expected = {
        name: p - 0.01 * (5 if name.startswith("connections") else 1) * g
        for name, p, g in zip(names, parameters, gradients, strict=True)
    }
    train(tmp_path, net, samples, weighting=Fixed("ab", weights={"a": 2.0, "b": 3.0}), steps=1, connection_lr=5)
    for name, parameter in net.named_parameters():
        torch.testing.assert_close(parameter, expected[name], rtol=1e-5, atol=1e-7)


def test_accumulation_equals_the_big_batch(tmp_path):
    states = []
    for name, changes in {"big": {"batch_size": 6}, "small": {"batch_size": 2, "accumulate": 3}}.items():
        net = toys.network(norm=False, dropout=0.0)
        train(tmp_path / name, net, toys.ToySamples(12), steps=4, **changes)
        states.append(toys.state_of(net))
    for name, value in states[0].items():
        torch.testing.assert_close(value, states[1][name], rtol=1e-5, atol=1e-7)


def test_clip_bounds_the_whole_gradient(tmp_path):
    net = toys.network(norm=False, dropout=0.0)
    before = toys.state_of(net)
    train(tmp_path, net, steps=1, clip=0.01, optimizer={"use": "sgd", "lr": 1.0, "momentum": 0})
    moved = torch.cat([(value - before[name]).flatten() for name, value in net.state_dict().items()])
    assert float(moved.norm()) == pytest.approx(0.01, rel=1e-3)


def test_task_without_labels_moves_nothing_of_its_own(tmp_path):
    """`b` is labelled in the first half of the steps only; then neither momentum nor decay moves its head."""
    net = toys.network()
    order = list(BatchOrder(EpochOrder(8, 0), 4, first=0, last=2))
    samples = toys.ToySamples(8, labels={"b": [index for index, _ in order[0]]})
    states = []
    for number, steps in enumerate((1, 2)):
        net = toys.network()
        train(
            tmp_path / str(number),
            net,
            samples,
            steps=steps,
            weight_decay={"streams": 0.1, "heads": 0.1, "norms_and_biases": True},
        )
        states.append(toys.state_of(net))
    same = [name for name in states[0] if torch.equal(states[0][name], states[1][name])]
    assert {"streams.b.net.last.weight", "streams.b.net.last.bias"} <= set(same)
    assert "streams.b.net.body.0.weight" not in same  # reached by a's loss, through the connection
    assert "streams.a.net.last.weight" not in same


def test_losses_are_over_labelled_samples_only(tmp_path):
    """A constant network output makes the expected loss a hand computation."""
    net = toys.network(norm=False, dropout=0.0)
    for name in ("a", "b"):
        nn.init.zeros_(net.stream(name).net.last.weight)
        nn.init.constant_(net.stream(name).net.last.bias, 1.0)
    samples = toys.ToySamples(4, labels={"b": [2]})
    train(tmp_path, net, samples, steps=1)
    target = samples[2, 0]["b"]
    row = next(csv.DictReader((tmp_path / "log.csv").open()))
    assert float(row["loss.b"]) == pytest.approx(float((1 - target).square().mean()), rel=1e-5)
    assert row["weight.a"] == "1.0"


def test_trained_on_one_task_only(tmp_path):
    net = toys.network()
    before = toys.state_of(net)
    result = train(tmp_path, net, trained=["a"], validation=toys.ToySamples(3))
    after = toys.state_of(net)
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert {"streams.b.net.last.weight", "streams.b.net.last.bias"} <= same
    assert "streams.b.net.body.0.weight" not in same
    assert list(result.metrics) == ["a"]


@pytest.mark.parametrize("role", ["streams", "heads", "connections"])
def test_frozen_role_stays_and_then_moves(tmp_path, role):
    held = {"streams": "net.body", "heads": "net.last", "connections": "connections"}[role]
    for steps, still in ((3, True), (4, False)):
        net = toys.network()
        before = toys.state_of(net)
        train(tmp_path / str(steps), net, steps=steps, freeze={role: 3}, weight_decay=0.1)
        own = {name: value for name, value in net.state_dict().items() if held in name}
        # a bias before a batch norm has no gradient, and biases do not decay
        others = {name: v for name, v in net.state_dict().items() if held not in name and "body.0.bias" not in name}
        assert all(torch.equal(before[name], value) for name, value in own.items()) is still
        assert not any(torch.equal(before[name], value) for name, value in others.items())
        assert all(p.requires_grad for p in net.parameters())


def test_average_is_the_recurrence(tmp_path):
    """decay .2 at steps 0 and 1: min(.2, 1/10), min(.2, 2/11)."""
    states = []
    for steps in (1, 2):
        net = toys.network(norm=False, dropout=0.0)
        start = toys.state_of(net)
        train(tmp_path / f"plain{steps}", net, steps=steps)
        states.append(toys.state_of(net))
    averaged = toys.network(norm=False, dropout=0.0)
    train(tmp_path / "average", averaged, steps=2, ema=0.2)
    for name, value in averaged.state_dict().items():
        first = 0.1 * start[name] + 0.9 * states[0][name]
        torch.testing.assert_close(value, 2 / 11 * first + 9 / 11 * states[1][name], rtol=1e-5, atol=1e-6)


def test_validate_is_exact_and_leaves_modes_alone():
    net = toys.network()
    net.connections.eval()
    modes = [module.training for module in net.modules()]
    samples = toys.ToySamples(7, labels={"b": [1, 5]})
    found = [validate(net, toys.TASKS, samples, batch_size=size) for size in (1, 3, 7)]
    assert [module.training for module in net.modules()] == modes
    net.eval()
    with torch.no_grad():
        errors = [(net(samples[i, 0]["image"][None])["b"] - samples[i, 0]["b"]).abs() for i in (1, 5)]
    for metrics in found:
        assert metrics["b"]["error"] == pytest.approx(float(torch.stack(errors).mean()), rel=1e-5)
        assert metrics["a"]["error"] == pytest.approx(found[0]["a"]["error"], rel=1e-6)


def test_validate_names_a_task_without_labels():
    with pytest.raises(ValueError, match=r"labelled for \['b'\]"):
        validate(toys.network(), toys.TASKS, toys.ToySamples(3, labels={"b": []}), batch_size=2)


def test_best_weights_are_those_of_the_best_validation(tmp_path):
    """With a rate that makes it worse and worse, the first validation is the best."""
    validation = toys.ToySamples(5)
    changes = {"validate_every": 1, "optimizer": {"use": "sgd", "lr": 1.5}, "clip": 1.0}
    net = toys.network(norm=False, dropout=0.0)
    result = train(tmp_path / "best", net, choose="best", validation=validation, **changes)
    scores = [v.metrics for v in result.history]
    best = min(scores, key=lambda m: m["a"]["error"] + m["b"]["error"])
    assert result.metrics == best != scores[-1]
    assert validate(net, toys.TASKS, validation, batch_size=4) == best


def test_last_and_mean_last(tmp_path):
    last = train(tmp_path / "last", toys.network(), validation=toys.ToySamples(5), validate_every=1)
    mean = train(
        tmp_path / "mean", toys.network(), validation=toys.ToySamples(5), validate_every=1, choose="mean_last", mean_over=3
    )
    errors = [v.metrics["a"]["error"] for v in last.history]
    assert len(errors) == 8 and last.metrics["a"]["error"] == errors[-1]
    assert [v.step for v in mean.history] == [6, 7, 8]
    assert mean.metrics["a"]["error"] == pytest.approx(sum(errors[-3:]) / 3)


def test_validation_steps():
    assert validation_steps(toys.options(steps=10), epoch=4) == [4, 8, 10]
    assert validation_steps(toys.options(steps=10, choose="mean_last", mean_over=2), epoch=4) == [8, 10]
    last_ten_epochs = toys.options(steps=60, choose="mean_last")  # MTAN's protocol, without saying more
    assert validation_steps(last_ten_epochs, epoch=4) == [24, 28, 32, 36, 40, 44, 48, 52, 56, 60]
    assert reported([], None, toys.options()) is None


def test_gain_is_antisymmetric_knows_directions_and_skips_nan():
    class Two(toys.ToyTask):
        directions: ClassVar = {"up": "higher", "down": "lower"}

    tasks = {"x": Two(), "y": Two()}
    old = {"x": {"up": 1.0, "down": 2.0}, "y": {"up": float("nan"), "down": 0.0}}
    new = {"x": {"up": 3.0, "down": 1.0}, "y": {"up": 1.0, "down": 0.0}}
    # x: ((3-1)/2 + (2-1)/1.5) / 2 = .8333; y: 0
    assert gain(new, old, tasks) == pytest.approx((1 + 2 / 3) / 2 / 2)
    assert gain(old, new, tasks) == pytest.approx(-gain(new, old, tasks))
    assert Validation(1, new).step == 1


def test_training_batches_are_full_cover_every_epoch_and_resume_anywhere():
    samples = toys.ToySamples(10)
    keys = [batch.keys for batch in training_batches(samples, batch_size=4, seed=1, first=0, last=10)]
    assert {len(batch) for batch in keys} == {4} and len(keys) == 10
    flat = [key for batch in keys for key in batch]
    for epoch in range(4):
        assert sorted(flat[10 * epoch : 10 * epoch + 10]) == [str(i) for i in range(10)]
    assert {draw for _, draw in samples.drawn[:10]} == {0} and {draw for _, draw in samples.drawn[10:20]} == {1}
    assert [batch.keys for batch in training_batches(samples, batch_size=4, seed=1, first=3, last=7)] == keys[3:7]


def test_workers_change_nothing(tmp_path):
    states = []
    for workers in (0, 2):
        net = toys.network()
        train(tmp_path / str(workers), net, steps=3, workers=workers)
        states.append(toys.state_of(net))
    toys.assert_same_state(*states)


def test_log_columns(tmp_path):
    train(tmp_path, toys.network(), log_every=3, steps=8, weighting=Fixed("ab", weights={"a": 1.0, "b": 0.5}))
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [row["step"] for row in rows] == ["3", "6", "8"]
    assert set(rows[0]) == {
        *("step", "epoch", "seconds", "loss.a", "loss.b", "weight.a", "weight.b"),
        *("lr.heads", "lr.Mix connections", "lr.streams"),
    }
    assert rows[0]["epoch"] == "1.2000" and rows[0]["weight.b"] == "0.5"


def test_logged_losses_are_unweighted(tmp_path):
    """Of the first step, before weights can have changed anything else: the losses written out."""
    net, samples = toys.network(norm=False, dropout=0.0), toys.ToySamples(4)
    batch = [samples[i, 0] for i in range(4)]
    with torch.no_grad():
        outputs = net(torch.stack([s["image"] for s in batch]))
    train(tmp_path, net, samples, weighting=Fixed("ab", weights={"a": 7.0, "b": 0.5}), steps=1)
    row = next(csv.DictReader((tmp_path / "log.csv").open()))
    for task in ("a", "b"):
        error = (outputs[task] - torch.stack([s[task] for s in batch])).square().mean()
        assert float(row[f"loss.{task}"]) == pytest.approx(float(error), rel=1e-5)


def test_tensorboard_shows_the_unweighted_losses_and_the_validations(tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    changes = {"log_every": 2, "validate_every": 4, "tensorboard": True}
    weighting = Fixed("ab", weights={"a": 1.0, "b": 0.5})
    train(tmp_path, toys.network(), weighting=weighting, validation=toys.ToySamples(5), **changes)
    board = events.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert {"loss/a", "loss/b", "weight/b", "lr/streams", "validation/a/error"} <= set(board.Tags()["scalars"])
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    for name in ("loss.a", "loss.b"):
        drawn = board.Scalars(name.replace(".", "/"))
        assert [event.step for event in drawn] == [2, 4, 6, 8]
        assert [event.value for event in drawn] == pytest.approx([float(row[name]) for row in rows], rel=1e-5)
    assert [event.step for event in board.Scalars("validation/a/error")] == [4, 8]


def test_what_was_chosen_is_said_before_training(tmp_path):
    class Told:
        notes: ClassVar = []

        def begin(self, what, total, *, done=0): ...

        def advance(self, done, losses=None): ...

        def note(self, text):
            self.notes += text.splitlines()

        def end(self): ...

    options = toys.options(steps=1, connection_lr=None, last_layer_lr=10, weight_decay=0.1)
    fit(toys.network(), toys.TASKS, toys.ToySamples(), options, folder=tmp_path, seed=0, progress=Told())
    assert any(note.startswith("cpu, ") and "float32, contiguous" in note for note in Told.notes)
    assert "Mix connections: lr x100 (4 parameters)" in Told.notes
    assert "heads: lr x10, weight decay 0.1 (8 parameters)" in Told.notes
