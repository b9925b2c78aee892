"""Generated rooms with true geometry in published layouts, sound or with one thing wrong: for what is told of a folder."""

import numpy as np
from data.trees import as_picture, save, write_list

from taskweave.data.generated.scenes import Scenes

SIZE = (32, 48)


def rooms(count, seed=0):
    """Pictures in which red is above blue, as lamps make it; labels with a few holes."""
    labels = ("segmentation", "depth", "normals")
    return [_room(sample) for sample in Scenes(count, size=SIZE, seed=seed, labels=labels)]


def _room(sample):
    image = sample["image"].numpy().transpose(1, 2, 0).astype(float)
    lit = np.stack([image.mean(2) * 0.8 + 40, image.mean(2) * 0.7 + 20, image.mean(2) * 0.6], axis=-1)
    depth = sample["depth"].numpy()[0].copy()
    normals = sample["normals"].numpy().transpose(1, 2, 0).copy()
    depth[:2, :5] = 0
    normals[:2, :5] = 0
    return {
        "image": lit.astype(np.uint8),
        "segmentation": sample["segmentation"].numpy(),
        "depth": depth,
        "normals": normals,
    }


def write_lists(root, *, normals=as_picture, image=lambda pixels: pixels):
    """NDDR's lists of 4 and 3 rooms; normals, image: what is written of them."""
    for split, seed, count in (("training", 1, 4), ("testing", 2, 3)):
        seg, normal = [], []
        for number, room in enumerate(rooms(count, seed)):
            name = f"{seed}{number:03d}.png"
            save(root / "img" / name, image(room["image"]))
            save(root / "seg" / name, (room["segmentation"] % 40).astype(np.uint8))
            save(root / "normal" / name, np.ascontiguousarray(normals(room["normals"])))
            seg.append(f"/img/{name} /seg/{name}")
            normal.append(f"/img/{name} /normal/{name}")
        write_list(root / "list" / f"{split}_seg.txt", seg)
        write_list(root / "list" / f"{split}_normal_mask.txt", normal)


def white_holes(normals):
    """As NDDR's normals without its second code of holes."""
    picture = np.round((normals + 1) * 127.5).astype(np.uint8)
    picture[(normals == 0).all(-1)] = 255
    return picture


def write_mtan(root, *, depth=lambda metres: metres, image=lambda pixels: pixels):
    """NYUv2 as MTAN's npy: 4 and 3 rooms."""
    for split, seed, count in (("train", 1, 4), ("val", 2, 3)):
        for number, room in enumerate(rooms(count, seed)):
            folder, name = root / split, f"{number}.npy"
            save(folder / "image" / name, (image(room["image"]) / 255).astype(np.float32))
            save(folder / "label" / name, room["segmentation"] % 13)
            save(folder / "depth" / name, depth(room["depth"])[..., None])
            save(folder / "normal" / name, room["normals"])


def inverse(metres, *, constant=4.0):
    return np.where(metres > 0, constant / np.where(metres > 0, metres, 1), 0).astype(np.float32)


def write_cityscapes_mtan(root, *, depth=inverse):
    """Cityscapes as MTAN's npy, of rooms: near things are in a room, too."""
    for split, seed, count in (("train", 1, 4), ("val", 2, 3)):
        for number, room in enumerate(rooms(count, seed)):
            folder, name = root / split, f"{number}.npy"
            save(folder / "image" / name, (room["image"] / 255).astype(np.float32))
            save(folder / "label_7" / name, room["segmentation"] % 7)
            save(folder / "depth" / name, (depth(room["depth"]) / 100)[..., None].astype(np.float32))
