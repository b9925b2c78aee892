"""What a comparison keeps of networks for its drawings: ages and genders in ``faces.json``, attention in ``attention/``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from taskweave.files import write_text, writing

FACES = "faces.json"
_IMAGES, _TITLE = "images", "title"


@final
@dataclass(frozen=True)
class FaceCounts:
    """What is known of some faces. ages: years, 0 to 100.  genders: class numbers.  predicted: by a network, or labels."""

    label: str
    ages: tuple[float, ...] = ()
    genders: tuple[int, ...] = ()
    predicted: bool = False


def keep_faces(series: Sequence[FaceCounts], genders: Sequence[str], folder: Path) -> None:
    """Write ages and genders to a comparison's folder. genders: names of the classes."""
    content = {"genders": list(genders), "series": [asdict(one) for one in series]}
    write_text(folder / FACES, json.dumps(content, ensure_ascii=False) + "\n")


def read_faces(folder: Path) -> tuple[list[FaceCounts], tuple[str, ...]]:
    """Ages and genders, and the genders' names; nothing where the comparison has no faces."""
    path = folder / FACES
    if not path.is_file():
        return [], ()
    content = json.loads(path.read_text(encoding="utf-8"))
    series = [
        FaceCounts(**one | {"ages": tuple(one["ages"]), "genders": tuple(one["genders"])}) for one in content["series"]
    ]
    return series, tuple(content["genders"])


@final
@dataclass(frozen=True)
class AttentionMasks:
    """Attention of one network on some pictures.

    title: of the drawing.  images: RGB uint8 (B, 3, H, W).  masks: {task: one (B, h, w) per block, the mean over channels}.
    """

    title: str
    images: NDArray[np.uint8]
    masks: Mapping[str, Sequence[NDArray[np.float32]]]


def keep_attention(attention: AttentionMasks, path: Path) -> Path:
    """Write masks and the pictures behind them to an .npz file. Returns `path`."""
    arrays: dict[str, Any] = {_IMAGES: attention.images, _TITLE: np.asarray(attention.title)}
    tasks = list(attention.masks)
    arrays["tasks"] = np.asarray(tasks, dtype=np.str_)
    for number, task in enumerate(tasks):
        arrays |= {f"{number}/{block}": mask for block, mask in enumerate(attention.masks[task])}
    with writing(path) as file:
        np.savez_compressed(file, **arrays)
    return path


def read_attention(path: Path) -> AttentionMasks:
    """Read what `keep_attention` wrote."""
    with np.load(path, allow_pickle=False) as file:
        masks = {
            str(task): [file[f"{number}/{block}"] for block in range(sum(f.startswith(f"{number}/") for f in file.files))]
            for number, task in enumerate(file["tasks"])
        }
        return AttentionMasks(str(file[_TITLE]), file[_IMAGES], masks)
