"""A training that was stopped and resumed is the training that was not."""

import csv
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from training import toys

from taskweave.progress import StopSignal
from taskweave.training import fit

HARD = {
    "plain": {},
    "average and accumulation": {"ema": 0.9, "accumulate": 3, "clip": 0.5},
    "adamw and cosine": {"optimizer": {"use": "adamw", "lr": 0.01}, "schedule": {"use": "cosine", "warm_up": 3}},
    "best of validations": {"choose": "best", "validate_every": 2, "ema": 0.5},
    "mean of validations": {"choose": "mean_last", "validate_every": 1, "mean_over": 5},
    "bf16 and channels last": {"precision": "bf16", "memory_format": "channels_last"},
    "frozen at first": {"freeze": {"streams": 5}, "weight_decay": 0.1},
}


def train(folder, changes, *, stop=None, net=None):
    net = net or toys.network()
    validation = toys.ToySamples(5) if "validate_every" in changes else None
    result = fit(
        net,
        toys.TASKS,
        toys.ToySamples(labels={"b": range(5)}),
        toys.options(**changes),
        folder=folder,
        seed=3,
        stop=stop,
        validation=validation,
    )
    return net, result


@pytest.mark.parametrize("changes", HARD.values(), ids=HARD)
def test_resumed_ends_bit_equal(tmp_path, changes):
    whole, expected = train(tmp_path / "whole", changes)
    for steps in (3, 2):  # 10 samples in batches of 4: both stops fall inside an epoch
        torch.rand(7)  # whatever else happens between two runs
        _, stopped = train(tmp_path / "parts", changes, stop=toys.StopAfter(steps))
        assert stopped.stopped == "interrupted" and stopped.metrics is None
    parts, result = train(tmp_path / "parts", changes)
    assert stopped.step == 5 and result.finished and result.step == 8
    toys.assert_same_state(toys.state_of(whole), toys.state_of(parts))
    assert result.history == expected.history and result.metrics == expected.metrics


def test_bit_equality_can_fail():
    one = toys.state_of(toys.network())
    other = {**one, "streams.a.net.last.bias": one["streams.a.net.last.bias"] + 1e-7}
    with pytest.raises(AssertionError, match=r"streams\.a\.net\.last\.bias"):
        toys.assert_same_state(one, other)


def test_log_survives_a_resume_without_duplicates(tmp_path):
    changes = {"log_every": 2, "validate_every": 2, "checkpoint_every": 3, "ema": 0.9}
    train(tmp_path / "whole", changes)

    class CrashError(Exception): ...

    class CrashingStop:
        """Crashes without saving, at step 5: after the checkpoint of step 3 and the row of step 4."""

        def __init__(self):
            self.asked = 0

        @property
        def reason(self):
            self.asked += 1
            if self.asked > 5:
                raise CrashError
            return None

    with pytest.raises(CrashError):
        train(tmp_path / "parts", changes, stop=CrashingStop())
    train(tmp_path / "parts", changes)
    for name in ("log.csv", "validation.csv"):
        rows = [list(csv.DictReader((tmp_path / folder / name).open())) for folder in ("whole", "parts")]
        for row in rows[0] + rows[1]:
            row.pop("seconds", None)
        assert rows[0] == rows[1]
    assert [row["step"] for row in rows[0]] == ["2", "2", "4", "4", "6", "6", "8", "8"]


def test_finished_training_is_returned_at_once_and_keeps_weights_only(tmp_path):
    net, result = train(tmp_path, {"choose": "best", "validate_every": 2, "checkpoint_every": 1})
    assert {p.name for p in tmp_path.iterdir()} == {"weights.safetensors", "finished.json", "log.csv", "validation.csv"}
    torch.manual_seed(99)
    fresh = toys.network(norm=True)
    fresh, again = train(tmp_path, {"choose": "best", "validate_every": 2, "checkpoint_every": 1}, net=fresh)
    assert again == result
    toys.assert_same_state(toys.state_of(fresh), toys.state_of(net))


def test_randomness_of_the_caller_is_left_alone(tmp_path):
    net, draws = toys.network(), []
    for work in (lambda: None, lambda: train(tmp_path, {}, net=net)):
        torch.manual_seed(5), random.seed(5), np.random.seed(5)
        work()
        draws.append((torch.rand(1).item(), random.random(), np.random.rand()))
    assert draws[0] == draws[1]


def test_deadline_stops_at_a_resumable_point(tmp_path):
    _, result = train(tmp_path, {"steps": 100000}, stop=StopSignal(minutes=0.3 / 60))
    assert result.stopped == "deadline" and 0 < result.step < 100000
    assert (tmp_path / "checkpoint.pt").is_file()


def test_a_deadline_that_has_passed_changes_nothing(tmp_path):
    net = toys.network()
    before = toys.state_of(net)
    _, result = train(tmp_path, {}, stop=StopSignal(minutes=0), net=net)
    assert (result.stopped, result.step) == ("deadline", 0)
    toys.assert_same_state(before, toys.state_of(net))


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from training import toys
from taskweave.training import fit
class Told:
    def begin(self, what, total, *, done=0): print("begun", flush=True)
    def advance(self, done, losses=None): pass
    def note(self, text): pass
    def end(self): pass
options, folder = toys.options(steps=10**7), Path({folder!r})
result = fit(toys.network(), toys.TASKS, toys.ToySamples(), options, folder=folder, seed=0, progress=Told())
print(result.stopped, result.step, flush=True)
"""


@pytest.mark.slow
def test_ctrl_c_saves_at_the_end_of_the_step(tmp_path):
    code = textwrap.dedent(SCRIPT).format(tests=str(Path(__file__).parents[1]), folder=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    word, step = said.split()
    assert word == "interrupted"
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["position"]["step"] == int(step) > 0


def test_second_ctrl_c_aborts():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may start background jobs without one
    try:
        _interrupt_twice()
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt_twice():
    with pytest.raises(KeyboardInterrupt), StopSignal().catching() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.reason == "interrupted"
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
