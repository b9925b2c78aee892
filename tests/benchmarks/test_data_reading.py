"""The benchmark of data reading runs, in its quick form, and every reader gives the same pictures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_quick_form_runs(tmp_path):
    pytest.importorskip("h5py", reason="h5 files need taskweave[data]")
    pytest.importorskip("pyarrow", reason="stores are packed with taskweave[store]")
    command = [sys.executable, str(ROOT / "benchmarks" / "data_reading.py"), "--quick", "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    cells = json.loads((tmp_path / "data_reading.json").read_text())["cells"]
    assert len(cells) == 13
    assert all(cell["as_input"] > 0 for cell in cells)
    assert [cell["as_stored"] is None for cell in cells] == ["in training" in cell["reader"] for cell in cells]
    table = (tmp_path / "data_reading.md").read_text()
    assert all(f"| {cell['reader']} |" in table for cell in cells)


@pytest.mark.slow
def test_the_quick_form_beside_bare_arrays_runs(tmp_path):
    pytest.importorskip("pyarrow", reason="stores are packed with taskweave[store]")
    command = [sys.executable, str(ROOT / "benchmarks" / "store_reading.py"), "--quick", "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    cells = json.loads((tmp_path / "store_reading.json").read_text())["cells"]
    assert len(cells) == 6
    assert [cell["share_of_bare"] for cell in cells if cell["reader"] == "bare npy memmap"] == [1, 1]
    table = (tmp_path / "store_reading.md").read_text()
    assert all(f"| {cell['reader']} | {cell['end']} |" in table for cell in cells)
