"""What a comparison says of the machine and the versions behind it."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch

from taskweave.experiments.artifacts.machine import _processor, describe_machine, installed_versions


def test_the_machine_is_told_with_cores_threads_and_gpu():
    said = describe_machine()
    assert f"{os.cpu_count()} core" in said
    assert f"{torch.get_num_threads()} thread" in said
    assert (torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU") in said
    assert said.endswith(platform.platform())
    assert platform.node() not in said.split(", "), "whose machine it is stays private"


def test_the_processor_is_read_where_linux_tells_it(tmp_path: Path):
    told = tmp_path / "cpuinfo"
    told.write_text("processor\t: 0\nmodel name\t: Some  CPU @ 2 GHz: best\nmodel name\t: Other\n")
    assert _processor(told) == "Some CPU @ 2 GHz: best"
    told.write_text("processor\t: 0\nBogoMIPS\t: 50.00\n")
    assert _processor(told) == _processor(tmp_path / "absent") != ""


def test_versions_are_those_installed():
    found = installed_versions()
    assert found["python"] == platform.python_version()
    for package in ("torch", "torchvision", "lightning", "numpy", "taskweave"):
        assert found[package].split("+")[0] == version(package).split("+")[0]
