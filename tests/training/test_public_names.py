"""What `taskweave.training` and `taskweave.weighting` export, and what that costs."""

import importlib
import pkgutil
import re
import subprocess
import sys

import pytest

import taskweave.training
import taskweave.weighting

ROOMS = [taskweave.training, taskweave.weighting]
every_room = pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__)


@every_room
def test_every_name_is_there_and_typed(room):
    source = open(room.__file__).read()  # noqa: PTH123, SIM115
    for name in room.__all__:
        assert getattr(room, name) is not None
        assert re.search(rf"\b{name} as {name}\b", source), "type checkers do not know it"
    assert dir(room) == room.__all__
    with pytest.raises(AttributeError, match=r"has no attribute 'fitt'; it has \["):
        room.fitt  # noqa: B018


@every_room
def test_no_module_takes_the_place_of_a_name(room):
    """`import taskweave.training.step` would put the module where the schedule of that name is looked for."""
    modules = {module.name for module in pkgutil.iter_modules(room.__path__)}
    assert modules and not modules & set(room.__all__)
    for module in sorted(modules):
        importlib.import_module(f"{room.__name__}.{module}")
    assert all(not hasattr(getattr(room, name), "__path__") for name in room.__all__)


@pytest.mark.parametrize(
    ("code", "without"),
    [
        ("from taskweave.weighting import *", ("pydantic", "lightning", "torchjd", "torchvision", "torchmetrics")),
        ("import taskweave.training", ("torch", "pydantic", "lightning")),
        ("from taskweave.training import TrainingOptions, sgd, poly", ("lightning", "torchvision", "torchmetrics")),
    ],
)
def test_what_an_import_does_not_bring(code, without):
    asked = f"import sys\n{code}\nprint([m for m in {without} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
