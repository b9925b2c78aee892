"""Small generated data as authors of multi-task papers published NYUv2 and Cityscapes again, and the truth in them."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from data import trees
from data.street_trees import LABEL_IDS, NINETEEN, city_disparity, city_labels, picture, train_ids
from data.trees import save

CAMERA = {"extrinsic": {"baseline": 0.22, "pitch": 0.03}, "intrinsic": {"fx": 2268.36, "fy": 2225.5, "u0": 1048.6}}
SEVEN = (0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 5, 6, 6, 6, 6, 6, 6)
HUMANS_AND_VEHICLES = NINETEEN[11:]


@dataclass(frozen=True)
class Street:
    """image uint8 (H, W, 3); nineteen, seven, two: classes with -1 = none; codes: the release's uint16 disparities."""

    image: np.ndarray
    ids: np.ndarray
    codes: np.ndarray

    @property
    def nineteen(self):
        known = train_ids(self.ids).astype(int)
        return np.where(known == 255, -1, known)

    @property
    def seven(self):
        return np.where(self.nineteen < 0, -1, np.array([*SEVEN, 0])[self.nineteen])

    @property
    def two(self):
        numbers = [LABEL_IDS[name] for name in HUMANS_AND_VEHICLES]
        return np.where(self.nineteen < 0, -1, np.isin(self.ids, numbers).astype(int))


def street(number):
    key = f"aachen_{number:06d}_000019"
    return Street(picture(number), city_labels(key), city_disparity(key))


def streets(count=4):
    return [street(number) for number in range(count)]


def write_cameras(root: Path, split="train", camera=CAMERA):
    """Beside what `street_trees.write_cityscapes` wrote."""
    for image in (root / "leftImg8bit" / split).glob("*/*.png"):
        file = root / "camera" / split / image.parent.name / image.name.replace("leftImg8bit.png", "camera.json")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(camera))


def write_cityscapes_mtan(root: Path, split="train", *, count=4, sets=("label_2", "label_7", "label_19")):
    for number, shown in enumerate(streets(count)):
        write_street(root / split, f"{number}.npy", shown, sets)
    return streets(count)


def write_street(folder, name, shown, sets):
    labels = {"label_2": shown.two, "label_7": shown.seven, "label_19": shown.nineteen, "label": shown.seven}
    save(folder / "image" / name, shown.image.astype(np.float64) / 255)
    save(folder / "depth" / name, (shown.codes / 65535)[..., None].astype(np.float32))
    for kind in sets:
        save(folder / kind / name, labels[kind].astype(np.float64))


def write_auto_lambda(root: Path, split="train", *, count=4):
    for number, shown in enumerate(streets(count)):
        folder, name = root / split, f"{number}.png"
        save(folder / "image" / name, shown.image)
        save(folder / "seg" / name, shown.ids)
        save(folder / "depth" / name, shown.codes)
    return streets(count)


def write_adashare_cityscapes(root: Path, *, count=4):
    rows = {"train": [], "test": []}
    for split, numbers in (("train", range(count - 1)), ("test", range(count - 1, count))):
        for number in numbers:
            write_street(root / split, f"{number}.npy", street(number), ("label_2", "label_7", "label_19"))
            kinds = ("image", "depth", "label_2", "label_7", "label_19")
            rows[split].append([f"{split}/{kind}/{number}.npy" for kind in kinds])
    (root / "cityscape.json").write_text(json.dumps(rows))
    return streets(count)


def write_adashare_nyuv2(root: Path):
    """The last sample is the test part. Depth is 0 in holes, and 2e-5 in one more pixel that is none."""
    samples, rows = trees.truths(), []
    for t in samples:
        name = f"{t.key:04d}"
        files = [f"img/{name}.png", f"seg/{name}.png", f"normal_mask/{name}.png", f"depth/{name}.npy"]
        depth = t.depth.copy()
        depth[2, 5] = 2e-5
        values = (t.image, t.segmentation.astype(np.uint8), trees.as_picture(t.normals), depth)
        for file, value in zip(files, values, strict=True):
            save(root / file, value)
        rows.append(files)
    (root / "nyu_v2_3task.json").write_text(json.dumps({"train": rows[:-1], "test": rows[-1:]}))
    return samples
