"""Small generated data in the layouts that NYUv2 is published in, and the truth that was written."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 24, 32
# official indices with gaps: 0046, 0047 | 0125..0127 are two runs
INDICES = (46, 47, 125, 126, 127)


@dataclass(frozen=True)
class Truth:
    """What one sample shows: image uint8 (H, W, 3); segmentation ids, 255 = none; depth in metres; normals (H, W, 3)."""

    key: int
    image: np.ndarray
    segmentation: np.ndarray
    depth: np.ndarray
    normals: np.ndarray


def truths(*, classes=40, indices=INDICES):
    return [truth(index, classes=classes) for index in indices]


def truth(index, *, classes=40):
    rng = np.random.default_rng(index)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    # smooth, so that JPEG keeps it
    image = np.stack([rows * 8, columns * 7, np.full_like(rows, index % 200)], axis=-1).astype(np.uint8)
    segmentation = rng.integers(0, classes, size=(HEIGHT, WIDTH))
    segmentation[rng.random((HEIGHT, WIDTH)) < 0.2] = 255
    depth = ((1000 + 100 * (index % 7) + 4 * rows + 2 * columns) / 1000).astype(np.float32)  # whole millimetres
    depth[2:4, 5:8] = 0
    normals = rng.normal(size=(HEIGHT, WIDTH, 3))
    normals[..., 2] = np.abs(normals[..., 2]) + 0.1
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    normals[10:13, 20:25] = 0
    return Truth(index, image, segmentation, depth, normals.astype(np.float32))


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, array)
    else:
        Image.fromarray(array).save(path, **({"quality": 95, "subsampling": 0} if path.suffix == ".jpg" else {}))


def from_one(segmentation):
    """Ids counted from 0 with 255 = none -> stored values counted from 1 with 0 = none."""
    return np.where(segmentation == 255, 0, segmentation + 1).astype(np.uint8)


def as_picture(normals):
    """(n + 1) * 127.5 as uint8; holes alternate between NDDR's two codes, 255 and 127."""
    picture = np.round((normals + 1) * 127.5).astype(np.uint8)
    holes = np.argwhere((normals == 0).all(-1))
    for number, (row, column) in enumerate(holes):
        picture[row, column] = 255 if number % 2 else 127
    return picture


def write_folder(root: Path, split="train", *, classes=40):
    samples = truths(classes=classes)
    for t in samples:
        name = f"{t.key:04d}"
        save(root / "rgb" / f"{name}.jpg", t.image)
        save(root / "depth" / f"{name}.png", np.round(t.depth * 1000).astype(np.uint16))
        save(root / f"label{classes}" / f"{name}.png", from_one(t.segmentation))
    write_list(root / "gt_sets" / f"{split}.txt", [f"{t.key:04d}" for t in samples])
    return samples


def write_mtan(root: Path, split="train", *, classes=13):
    samples = truths(classes=classes, indices=tuple(range(5)))
    for t in samples:
        folder = root / split
        save(folder / "image" / f"{t.key}.npy", t.image.astype(np.float32) / 255)
        label = np.where(t.segmentation == 255, -1, t.segmentation).astype(np.float32)
        save(folder / "label" / f"{t.key}.npy", label)
        save(folder / "depth" / f"{t.key}.npy", t.depth[..., None].astype(np.float64))
        save(folder / "normal" / f"{t.key}.npy", t.normals)
    return samples


def write_lists(root: Path, split="training"):
    samples = truths()
    seg, normal = [], []
    for t in samples:
        name = f"{t.key:04d}"
        save(root / "nyu_train_val" / f"nyu_{name}.png", t.image)
        save(root / "seg" / f"{name}.png", t.segmentation.astype(np.uint8))
        save(root / "normal" / f"{name}.png", as_picture(t.normals))
        seg.append(f"/nyu_train_val/nyu_{name}.png /seg/{name}.png")
        normal.append(f"/nyu_train_val/nyu_{name}.png /normal/{name}.png")
    write_list(root / "list" / f"{split}_seg.txt", seg)
    write_list(root / "list" / f"{split}_normal_mask.txt", normal)
    return samples


def write_nyud_mt(root: Path, split="train", *, pictures=False):
    samples = truths()
    for t in samples:
        name = f"{t.key:04d}"
        save(root / "images" / f"{name}.jpg", t.image)
        save(root / "segmentation" / f"{name}.png", from_one(t.segmentation))
        save(root / "depth" / f"{name}.npy", t.depth)
        save(
            root / "normals" / (f"{name}.png" if pictures else f"{name}.npy"),
            as_picture(t.normals) if pictures else t.normals,
        )
    write_list(root / "gt_sets" / f"{split}.txt", [f"{t.key:04d}" for t in samples])
    return samples


def write_mat(root: Path):
    """nyu_depth_v2_labeled.mat as h5py sees MATLAB's: axes reversed, scenes as references to character codes."""
    import h5py
    from scipy.io import savemat

    samples = truths(indices=tuple(range(1, 6)))
    scenes = ["kitchen_0004", "kitchen_0004", "office_0001", "office_0001", "bath_0002"]
    to_forty = np.arange(894) % 41  # raw class r (from 1) is class (r - 1) % 41, 0 = none
    with h5py.File(root / "nyu_depth_v2_labeled.mat", "w") as file:
        file["images"] = np.stack([t.image.transpose(2, 1, 0) for t in samples])
        file["depths"] = np.stack([t.depth.T for t in samples])
        # stored 0 = unlabelled; class id k (from 0) is 40-class value k + 1, which raw class k + 2 maps to
        raw = [np.where(t.segmentation == 255, 0, t.segmentation + 2).astype(np.uint16) for t in samples]
        file["labels"] = np.stack([label.T for label in raw])
        for number, scene in enumerate(scenes):
            file[f"refs/{number}"] = np.array([[ord(letter)] for letter in scene], dtype=np.uint16)
        names = np.array([file[f"refs/{number}"].ref for number in range(len(scenes))], dtype=h5py.ref_dtype)
        file["scenes"] = names[None]
    savemat(root / "splits.mat", {"trainNdxs": np.array([[1], [3], [4], [5]]), "testNdxs": np.array([[2]])})
    savemat(root / "classMapping40.mat", {"mapClass": to_forty[None].astype(np.uint8)})
    return samples, scenes


def write_list(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
