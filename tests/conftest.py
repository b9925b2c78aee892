"""What every test may ask for."""

import os
from pathlib import Path

import pytest
import torch

SHARED = Path(__file__).resolve().parents[2] / "shared"

os.environ["TASKWEAVE_STRICT_DRAWING"] = "1"  # a chart that fails is a failure here, and not a note

if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder ../shared of the project; tests that want it skip where it is not there."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"{SHARED} is not there: this test reads the real sample data in it")
    return SHARED


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)
