"""What goes wrong is said: what was given, what was expected, what to do."""

import builtins
import json
import os
import resource
import signal
from contextlib import contextmanager

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from training import toys

from taskweave.data.order import BatchOrder, EpochOrder
from taskweave.files import CannotSaveError
from taskweave.progress import StopSignal
from taskweave.training import NonFiniteLossError, TrainingOptions, WrongCheckpointError, fit
from taskweave.training.checkpoint import open_folder, save_checkpoint


def train(folder, net=None, samples=None, *, seed=0, stop=None, tasks=toys.TASKS, trained=None, **changes):
    return fit(
        net or toys.network(),
        tasks,
        toys.ToySamples() if samples is None else samples,
        toys.options(**changes),
        folder=folder,
        seed=seed,
        stop=stop,
        trained=trained,
    )


def test_non_finite_loss_stops_and_keeps_the_last_good_checkpoint(tmp_path):
    order = list(BatchOrder(EpochOrder(10, 0), 4, first=0, last=4))
    samples = toys.ToySamples(10, poison=order[3][0])
    message = (
        r"loss of task 'b' became nan at step 3; training stops. The last good checkpoint, of step 2, is kept in .*clip"
    )
    with pytest.raises(NonFiniteLossError, match=message) as got:
        train(tmp_path, samples=samples, checkpoint_every=2)
    assert got.value.step == 3
    kept = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert kept["position"]["step"] == 2 and all(torch.isfinite(value).all() for value in kept["net"].values())


def test_non_finite_loss_without_a_checkpoint_says_so(tmp_path):
    with pytest.raises(NonFiniteLossError, match="No checkpoint was saved yet"):
        train(tmp_path, samples=toys.ToySamples(4, poison=(0, 0)))


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    """A gradient may overflow while the loss is finite."""
    net = toys.network()
    net.connection(0).unit.matrix.register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(NonFiniteLossError, match=r"weight connections\.0\.unit\.matrix"):
        train(tmp_path, net, steps=1)
    assert not (tmp_path / "weights.safetensors").exists()
    with pytest.raises(NonFiniteLossError, match="norm of the gradient"):
        net = toys.network()
        net.connection(0).unit.matrix.register_hook(lambda gradient: gradient * float("inf"))
        train(tmp_path, net, steps=1, clip=1.0)


@contextmanager
def small_disk(size=6000):
    """Inside, no file may grow beyond so many bytes: writes fail part of the way, as on a full disk.

    No longer than needed: the file that the tests' own output goes to may be larger.
    """
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)


def test_full_disk_leaves_the_earlier_checkpoint_whole(tmp_path):
    train(tmp_path, steps=6, stop=toys.StopAfter(2))
    message = (
        r"could not save .*checkpoint\.pt .* MB are free, about .* MB are needed; the earlier one is kept whole\. Free some"
    )
    with small_disk(), pytest.raises(CannotSaveError, match=message):
        train(tmp_path, steps=6, checkpoint_every=3)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["position"]["step"] == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint.pt", "log.csv", "validation.csv"]


def test_full_disk_can_be_gone_on_from(tmp_path):
    whole = toys.network()
    train(tmp_path / "whole", whole, steps=6)
    train(tmp_path / "parts", steps=6, stop=toys.StopAfter(2))
    with small_disk(), pytest.raises(CannotSaveError):
        train(tmp_path / "parts", steps=6, checkpoint_every=3)
    net = toys.network()
    train(tmp_path / "parts", net, steps=6)
    toys.assert_same_state(toys.state_of(whole), toys.state_of(net))


def test_full_disk_while_logging_is_told_and_the_checkpoint_stays(tmp_path):
    train(tmp_path, steps=20, log_every=1, stop=toys.StopAfter(2))
    before = (tmp_path / "checkpoint.pt").read_bytes()
    message = r"could not write to .*log\.csv \(.*\); free some space .*: training resumes from the last checkpoint"
    full = (tmp_path / "log.csv").stat().st_size + 10
    with small_disk(full), pytest.raises(CannotSaveError, match=message):
        train(tmp_path, steps=20, log_every=1)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_what_a_killed_process_left_is_removed(tmp_path):
    train(tmp_path, steps=6, stop=toys.StopAfter(2))
    (tmp_path / "checkpoint.pt.0123456789ab.part").write_bytes(b"half a checkpoint")
    train(tmp_path, steps=6)
    assert not list(tmp_path.glob("*.part"))


def test_folder_that_cannot_be_written_is_named_before_any_work(tmp_path):
    (tmp_path / "file").write_text("")
    samples = toys.ToySamples()
    with pytest.raises(CannotSaveError, match=r"output folder .*file/run: .*choose another folder"):
        train(tmp_path / "file" / "run", samples=samples)
    assert samples.drawn == []


@pytest.fixture
def no_root():
    """Root may write anywhere: for as long as a test lasts this process is nobody."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


def test_read_only_folder(tmp_path, no_root):
    with pytest.raises(CannotSaveError, match=r"cannot write to the output folder .*Permission denied; choose another"):
        open_folder(tmp_path if os.getuid() == 0 else _read_only(tmp_path))


def _read_only(folder):
    folder.chmod(0o500)
    return folder


def test_checkpoint_of_another_network(tmp_path):
    train(tmp_path, stop=toys.StopAfter(2))
    message = (
        r"checkpoint\.pt holds another network than this one: 4 keys missing: "
        r"connections\.0\.unit\.convs\.0\.weight, .*, \.\.\.; "
        r"1 keys unexpected: connections\.0\.unit\.matrix\. Give the file"
    )
    with pytest.raises(WrongCheckpointError, match=message):
        train(tmp_path, toys.network(unit=toys.Convolve()))


def test_checkpoint_of_other_shapes(tmp_path):
    train(tmp_path, stop=toys.StopAfter(2))
    net = toys.network()
    net.stream("a").net.last = nn.Conv2d(4, 2, 1)
    message = (
        r"2 of another shape: streams\.a\.net\.last\.weight is \(1, 4, 1, 1\) in the file, \(2, 4, 1, 1\) in the network"
    )
    with pytest.raises(WrongCheckpointError, match=message):
        train(tmp_path, net)


def test_folder_of_another_training(tmp_path):
    train(tmp_path, stop=toys.StopAfter(2))
    with pytest.raises(WrongCheckpointError, match=r"belongs to another training; seed: 0 there, 1 asked for"):
        train(tmp_path, seed=1)
    train(tmp_path)
    with pytest.raises(WrongCheckpointError, match=r"batch_size: 4 there, 5 asked for.*Choose another folder"):
        train(tmp_path, batch_size=5)


def test_file_that_is_no_checkpoint(tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"nothing of ours")
    with pytest.raises(WrongCheckpointError, match="cannot be read as a checkpoint"):
        train(tmp_path)
    save_checkpoint(tmp_path / "checkpoint.pt", {})
    content = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    torch.save({**content, "format": 0}, tmp_path / "checkpoint.pt")
    with pytest.raises(WrongCheckpointError, match="no checkpoint of this version"):
        train(tmp_path)
    (tmp_path / "finished.json").write_text(json.dumps({"step": 1}))
    with pytest.raises(WrongCheckpointError, match=r"finished\.json cannot be read"):
        train(tmp_path)


def test_empty_data_sets(tmp_path):
    with pytest.raises(ValueError, match="training data set is empty; check the folder"):
        train(tmp_path, samples=toys.ToySamples(0))
    with pytest.raises(ValueError, match="validation data set is empty"):
        fit(
            toys.network(),
            toys.TASKS,
            toys.ToySamples(),
            toys.options(),
            folder=tmp_path,
            seed=0,
            validation=toys.ToySamples(0),
        )


def test_task_that_is_never_labelled(tmp_path):
    with pytest.raises(ValueError, match=r"no sample of a whole epoch was labelled for \['b'\]"):
        train(tmp_path, samples=toys.ToySamples(labels={"b": []}))


def test_tasks_and_streams_must_fit(tmp_path):
    with pytest.raises(ValueError, match=r"no task for the streams \['b'\]; the tasks given are \['a'\]"):
        train(tmp_path, tasks={"a": toys.ToyTask()})
    with pytest.raises(ValueError, match=r"trained=\['c'\] should name some of the streams \['a', 'b'\]"):
        train(tmp_path, trained=["c"])


def test_nothing_left_to_train(tmp_path):
    with pytest.raises(ValueError, match="freeze leaves nothing to train at step 0"):
        train(tmp_path, freeze={"streams": 2, "heads": 2, "connections": 2})
    with pytest.raises(ValueError, match="no parameter of the network wants a gradient"):
        train(tmp_path, toys.network().requires_grad_(False))


def test_choice_needs_validation(tmp_path):
    with pytest.raises(ValueError, match="choose='best' needs validation data"):
        train(tmp_path, choose="best")


def test_tensorboard_that_is_not_installed(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "torch.utils.tensorboard":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install taskweave\[logs\]"):
        train(tmp_path, tensorboard=True)


def test_options_refuse_what_they_do_not_know():
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        TrainingOptions(steps=1, batchsize=2)
    with pytest.raises(ValidationError, match="nesterov needs momentum"):
        TrainingOptions.model_validate({"steps": 1, "optimizer": {"use": "sgd", "momentum": 0, "nesterov": True}})
    with pytest.raises(ValidationError, match="frozen"):
        TrainingOptions(steps=1).steps = 2


def test_a_number_that_yaml_reads_as_text():
    """PyYAML takes 5e-4 for a string, since it has no point."""
    decay = TrainingOptions.model_validate({"steps": 1, "weight_decay": "5e-4"}).weight_decay
    assert (decay.streams, decay.heads, decay.connections) == (5e-4, 5e-4, 5e-4)
    with pytest.raises(ValidationError, match="weight_decay"):
        TrainingOptions.model_validate({"steps": 1, "weight_decay": "little"})


def test_options_that_do_not_determine_a_result_are_not_what_it_is_known_by():
    one, other = (
        TrainingOptions(steps=1, log_every=n, workers=n, checkpoint_every=n, checkpoint_seconds=n) for n in (1, 2)
    )
    assert one.determining() == other.determining()
    assert one.determining() != TrainingOptions(steps=1, clip=1.0).determining()
    assert TrainingOptions.model_validate(json.loads(one.model_dump_json())) == one


def test_stop_signal_asked_by_hand():
    stop = StopSignal()
    assert stop.reason is None
    stop.ask()
    assert stop.reason == "interrupted"
