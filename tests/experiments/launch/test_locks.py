"""The lock of a run's folder, between processes: it ends with its holder, however that ends."""

import os
import subprocess
import sys
from pathlib import Path

from taskweave.experiments.launch.locks import HOLDER, LOCK, UNKNOWN, RunLock

HOLD = """
import sys, time
from pathlib import Path
from taskweave.experiments.launch.locks import RunLock
with RunLock(Path(sys.argv[1])).tried() as ours:
    print(ours, flush=True)
    time.sleep(60)
"""


def test_one_at_a_time_and_a_killed_holders_lock_is_free(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None and other.stdout.readline() == "True\n"
        lock = RunLock(tmp_path)
        with lock.tried() as ours:
            assert not ours
        assert lock.holder.startswith(f"process {other.pid} on ")
        assert "since 20" in lock.holder
    finally:
        other.kill()
        other.wait()
    assert (tmp_path / HOLDER).exists(), "left behind by the killed process"
    with lock.tried() as ours:
        assert ours
        assert lock.holder.startswith(f"process {os.getpid()} on ")
    assert lock.holder == UNKNOWN
    assert {path.name for path in tmp_path.iterdir()} == {LOCK}


def test_a_lock_is_ours_once(tmp_path: Path) -> None:
    with RunLock(tmp_path).tried() as first, RunLock(tmp_path).tried() as second:
        assert (first, second) == (True, False)
    with RunLock(tmp_path).tried() as again:
        assert again
