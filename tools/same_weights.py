"""Whether tiny networks of every kind still end with the same weights, to the bit, as at an earlier commit.

    .venv/bin/python tools/same_weights.py [--base 9dcb0d1] [--keep FOLDER] [--only 'cross-stitch*']

One network for each kind of method, weighting, mixture and store is trained for a few steps by the code of `base`, in a
git worktree of its own, and by that of this working tree, committed or not: on this machine, on the CPU, with one thread.
No hashes are stored, since machines differ in the last bit. A line says of each network that it is equal, or by how much
its weights differ at most; exit code 1 where one differs that `same_weights_now.MEANT` does not name, or is equal though
it does. Each side takes about a minute and a half.

--keep: where the weights of `base` are kept and found again, so that the next call trains one side only.
--only: the networks whose names match this glob.

same_weights_before.py  the networks as recipes of `base`; stays as it is.
same_weights_now.py     the same as recipes of today, and how tensors of before are called now: edit this one.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import torch
from safetensors.torch import load_file
from same_weights_before import networks
from same_weights_now import KEYS, MEANT
from torch import Tensor

TOOLS = Path(__file__).resolve().parent
ROOT = TOOLS.parent
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def train(side: str, source: Path, out: Path, place: Path, only: str) -> None:
    """Run one side's script with the package that lies in `source`. Raises RuntimeError where another one is imported."""
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(source), "CUDA_VISIBLE_DEVICES": ""}
    environment["TASKWEAVE_CACHE"] = str(place / f"cache of {side}")
    asked = [sys.executable, "-c", "import taskweave; print(taskweave.__file__)"]
    found = subprocess.run(asked, env=environment, check=True, capture_output=True, text=True, cwd=place).stdout.strip()
    if not Path(found).is_relative_to(source):
        raise RuntimeError(f"python imports {found}, not the package in {source}")
    out.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    command = [sys.executable, str(TOOLS / f"same_weights_{side}.py"), str(out), only]
    subprocess.run(command, env=environment, check=True, cwd=place)
    print(f"{side}: {time.perf_counter() - started:.0f} s, {source}")


def train_before(base: str, out: Path, place: Path, only: str) -> None:
    """Train in a worktree of `base` that is removed again."""
    tree = place / "base"
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(tree), base], check=True)
    try:
        train("before", tree / "src", out, place, only)
    finally:
        subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def renamed(tensors: Mapping[str, Tensor], keys: tuple[tuple[str, str], ...] = KEYS) -> dict[str, Tensor]:
    """Tensors of before by what they are called now. Raises ValueError where two get one name."""
    found: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        for old, new in keys:
            key = re.sub(old, new, key)
        if key in found:
            raise ValueError(f"two tensors of before are called {key} now: correct KEYS of same_weights_now.py")
        found[key] = tensor
    return found


def compared(before: Mapping[str, Tensor], now: Mapping[str, Tensor]) -> str:
    """How the weights differ; "" where they are equal to the bit."""
    if lacking := sorted(before.keys() ^ now.keys()):
        where = "before" if lacking[0] in before else "now"
        return f"{len(lacking)} tensors are on one side only, e.g. {lacking[0]!r} {where}"
    if not before:
        return "in that there are no weights"
    worst, key = max((distance(before[key], now[key]), key) for key in sorted(before))
    return f"by at most {worst:.3g}, in {key!r}" if worst else ""


def distance(a: Tensor, b: Tensor) -> float:
    """0 where all bits are equal, else the largest difference; infinity for another shape or type."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return float("inf")
    if a.contiguous().flatten().view(torch.uint8).equal(b.contiguous().flatten().view(torch.uint8)):
        return 0.0
    most = float((a.double() - b.double()).abs().max())
    return most if most > 0.0 else float("inf")  # of equal value and other bits: a zero's sign; or no number


def report(before: Path, now: Path, names: list[str]) -> int:
    """Print a line for each network; how many differ that should not, or are equal that should."""
    wrong = 0
    for name in names:
        sides = [load_file(path) if (path := folder / f"{name}.safetensors").is_file() else {} for folder in (before, now)]
        said = compared(renamed(sides[0]), sides[1])
        count = sum(tensor.numel() for tensor in sides[1].values())
        wrong += bool(said) != (name in MEANT)
        meant = f" (meant: {MEANT[name]})" if name in MEANT else ""
        print(f"{'differs ' + said if said else 'equal'}{meant}  {name}, {len(sides[1])} tensors, {count:,} numbers")
    print(f"{len(names)} networks, {wrong or 'none'} not as they should be")
    return wrong or int(not names)


def main() -> None:
    """Train both sides, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="9dcb0d1", help="the commit to compare with, of the API of 9dcb0d1")
    parser.add_argument("--keep", type=Path, help="keep the weights of base in this folder, by its name")
    parser.add_argument("--only", default="*", help="a glob of names")
    options = parser.parse_args()
    names = [name for name in networks(Path()) if fnmatchcase(name, options.only)]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        before, now = (options.keep or place / "before").resolve() / options.base, place / "now"
        if not all((before / f"{name}.safetensors").is_file() for name in names):
            train_before(options.base, before, place, options.only)
        train("now", ROOT / "src", now, place, options.only)
        sys.exit(bool(report(before, now, names)))


if __name__ == "__main__":
    main()
