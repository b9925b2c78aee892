"""A store that `taskweave pack` wrote, as a layout: its manifest says what is in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from taskweave.data.dataset import LabelledSet
from taskweave.data.inspection.layout import Layout, View
from taskweave.data.store.manifest import MANIFEST, UNFINISHED
from taskweave.data.store.places import Folder
from taskweave.data.store.stored_set import open_store


def _parts(path: Path) -> list[View]:
    return [View(name, partial(_opened, path, name), facts.labels) for name, facts in Folder(path).manifest().parts.items()]


def _opened(path: Path, part: str, labels: Sequence[str]) -> LabelledSet:
    return open_store(path, part=part, labels=labels)


def _told(path: Path) -> list[str]:
    """What was packed, how large it is, and where labels are missing."""
    manifest = Folder(path).manifest()
    size = sum(file.bytes for file in manifest.files) / 1e6
    source = json.dumps(manifest.source, ensure_ascii=False) if manifest.source else "what its packer did not name"
    notes = [
        f"packed by taskweave {manifest.taskweave} from {source}; {size:,.1f} MB in {len(manifest.files)} files of samples"
    ]
    for name, part in manifest.parts.items():
        gaps = [
            f"{number:,} of {part.items:,} have {label}" for label, number in part.labelled.items() if number < part.items
        ]
        notes += [f"{name}: {', '.join(gaps)}"] if gaps else []
    return notes


STORE_LAYOUTS = (
    Layout(
        "a store", "stored", (f"{MANIFEST}|{UNFINISHED}", f"*-00000.arrow|{UNFINISHED}"), _parts,
        uses=("*",), told=_told,
    ),
)  # fmt: skip
