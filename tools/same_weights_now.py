"""The networks of `same_weights_before.py` as recipes of today say them, trained: the other side of `same_weights.py`.

Where the recipes' shape changes, `today` puts an old recipe into the new one; where tensors are renamed, `KEYS`.
"""

from __future__ import annotations

import sys
import tempfile
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import same_weights_before as before
from safetensors.torch import save_file

KEYS: tuple[tuple[str, str], ...] = ()
"""(regular expression, replacement) in this order, for keys of before: ``<role> <tasks trained> <seed>/<tensor>``."""

MEANT: dict[str, str] = {}
"""{network: why its weights are other ones now, on purpose}. One that is equal after all fails."""


def today(content: dict[str, Any]) -> dict[str, Any]:
    """An old recipe in today's shape."""
    return content


def main(out: Path, only: str) -> None:
    """Train those whose names match a glob."""
    with tempfile.TemporaryDirectory() as place:
        store = Path(place) / "store"
        before.pack(store)
        for name, content in before.networks(store).items():
            if fnmatchcase(name, only):
                before.train(today(content), Path(place) / name)
                save_file(before.weights_in(Path(place) / name), out / f"{name}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
