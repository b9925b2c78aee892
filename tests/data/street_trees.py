"""Small generated data in the layouts of Caltech Pedestrian, KITTI, CityPersons and Cityscapes, and the truth in them."""

import io
import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from data.trees import save
from PIL import Image

HEIGHT, WIDTH = 60, 80


def picture(number):
    """Smooth, so that JPEG keeps it; another for each number."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([rows * 4, columns * 3, np.full_like(rows, 10 * number % 250)], axis=-1).astype(np.uint8)


# Caltech


@dataclass(frozen=True)
class Drawn:
    """An object as annotated: x, y, width, height in pixels from 1; part: what is visible of it."""

    name: str
    box: tuple[float, float, float, float]
    occluded: bool = False
    part: tuple[float, float, float, float] = (0, 0, 0, 0)
    ignore: bool = False


PERSON = Drawn("person", (11, 6, 10, 30))
HALF = Drawn("person", (31, 11, 10, 40), occluded=True, part=(31, 11, 10, 20))
HIDDEN = Drawn("person", (51, 11, 10, 40), occluded=True, part=(51, 11, 10, 40))
CROWD = Drawn("people", (41, 21, 20, 30))
UNSURE = Drawn("person?", (21, 21, 8, 30))
FALSE_ALARM = Drawn("person-fa", (21, 21, 8, 30))
FRAMES = ((PERSON,), (), (HALF, CROWD), (PERSON, UNSURE), (HIDDEN,), (PERSON, FALSE_ALARM), ())


def frame_picture(frame, video=0):
    return picture(frame + 7 * video)


def jpeg(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95, subsampling=0)
    return file.getvalue()


def seq_bytes(frames, *, announced=None, padding=0, coding=201):
    """A Norpix sequence of JPEG pictures: the header of 1,024 bytes, then length, picture, time, `padding` empty bytes."""
    head = bytearray(1024)
    struct.pack_into("<I", head, 0, 0xFEED)
    head[4:28] = "Norpix seq  ".encode("utf-16-le")
    struct.pack_into("<iI", head, 28, 3, 1024)
    announced = len(frames) if announced is None else announced
    struct.pack_into("<9I", head, 548, WIDTH, HEIGHT, 24, 8, WIDTH * HEIGHT * 3, coding, announced, 0, 0)
    struct.pack_into("<d", head, 584, 30.0)
    blocks = [
        struct.pack("<I", len(frame) + 4) + frame + struct.pack("<IHH", 99, 1, 2) + bytes(padding) for frame in frames
    ]
    return bytes(head) + b"".join(blocks)


def write_seq(path: Path, frames, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(seq_bytes([jpeg(frame) for frame in frames], **options))


def write_vbb(path: Path, frames, *, announced=None):
    """The MATLAB structure A that the release has: a cell of struct arrays; ids count from 1 over all objects."""
    from scipy.io import savemat

    path.parent.mkdir(parents=True, exist_ok=True)
    names = [drawn.name for objects in frames for drawn in objects]
    lists, number = np.empty((1, len(frames)), dtype=object), 0
    fields = [(name, object) for name in ("id", "pos", "occl", "lock", "posv")]
    for place, objects in enumerate(frames):
        entries = np.zeros((1, len(objects)), dtype=fields)
        for column, drawn in enumerate(objects):
            number += 1
            values = (
                float(number),
                np.array([drawn.box], float),
                float(drawn.occluded),
                0.0,
                np.array([drawn.part], float),
            )
            entries[0, column] = values
        lists[0, place] = entries if objects else np.zeros((0, 0))
    labels = np.empty((1, len(names)), dtype=object)
    labels[0, :] = names
    structure = {
        "nFrame": float(len(frames) if announced is None else announced),
        "objLists": lists,
        "maxObj": float(len(names)),
        "objLbl": labels,
        "altered": 0.0,
    }
    savemat(path, {"A": structure, "vers": 1.4}, appendmat=False)


def write_caltech(root: Path, *, sets=(0, 6), videos=1, frames=FRAMES, padding=0):
    """setNN/VNNN.seq and annotations/setNN/VNNN.vbb; the train or test sets not in `sets` are empty folders."""
    for number in range(11):
        (root / f"set{number:02d}").mkdir(parents=True, exist_ok=True)
    for number in sets:
        for video in range(videos):
            name = f"set{number:02d}/V{video:03d}"
            pictures = [frame_picture(frame, video) for frame in range(len(frames))]
            write_seq(root / f"{name}.seq", pictures, padding=padding)
            write_vbb(root / "annotations" / f"{name}.vbb", frames)


def bbgt_line(drawn):
    numbers = (*drawn.box, int(drawn.occluded), *drawn.part, int(drawn.ignore), 0)
    return " ".join([drawn.name, *(f"{number:g}" for number in numbers)])


def write_bbgt(path: Path, objects):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["% bbGt version=3", *map(bbgt_line, objects)]) + "\n")


def write_caltech_extracted(root: Path, *, sets=(0, 6), frames=FRAMES):
    for number in sets:
        for frame, objects in enumerate(frames):
            key = f"set{number:02d}_V000_I{frame:05d}"
            save(root / "images" / f"{key}.jpg", frame_picture(frame))
            write_bbgt(root / "annotations" / f"{key}.txt", objects)


# KITTI


@dataclass(frozen=True)
class Line:
    kind: str
    box: tuple[float, float, float, float]
    truncated: float = 0.0
    occluded: int = 0

    @property
    def text(self):
        box = " ".join(f"{value:.2f}" for value in self.box)
        return f"{self.kind} {self.truncated:.2f} {self.occluded} -0.20 {box} 1.89 0.48 1.20 1.84 1.47 8.41 0.01"


KITTI = {
    "000000": (
        Line("Pedestrian", (10.25, 5.5, 20.75, 45.5)),
        Line("Car", (40, 20, 70, 40)),
        Line("DontCare", (60, 2, 70, 12), truncated=-1, occluded=-1),
    ),
    "000001": (),
    "000002": (
        Line("Pedestrian", (1, 5, 11, 45), occluded=1),
        Line("Pedestrian", (21, 5, 31, 45), occluded=2),
        Line("Pedestrian", (70, 5, 79, 45), truncated=0.31),
        Line("Person_sitting", (41, 25, 51, 45)),
        Line("Cyclist", (52, 25, 62, 45)),
    ),
}


def write_kitti(root: Path, images=KITTI):
    for key, lines in images.items():
        save(root / "training" / "image_2" / f"{key}.png", picture(int(key)))
        text = root / "training" / "label_2" / f"{key}.txt"
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text("".join(line.text + "\n" for line in lines))


# Cityscapes and CityPersons

CITY_KEYS = ("aachen_000000_000019", "aachen_000001_000019", "zurich_000120_000019")
LABEL_IDS = {
    "unlabeled": 0, "ego vehicle": 1, "static": 4, "road": 7, "sidewalk": 8, "parking": 9, "building": 11, "wall": 12,
    "fence": 13, "bridge": 15, "pole": 17, "traffic light": 19, "traffic sign": 20, "vegetation": 21, "terrain": 22,
    "sky": 23, "person": 24, "rider": 25, "car": 26, "truck": 27, "bus": 28, "caravan": 29, "train": 31,
    "motorcycle": 32, "bicycle": 33,
}  # fmt: skip
CATEGORIES = {
    "flat": ("road", "sidewalk"),
    "construction": ("building", "wall", "fence"),
    "object": ("pole", "traffic light", "traffic sign"),
    "nature": ("vegetation", "terrain"),
    "sky": ("sky",),
    "human": ("person", "rider"),
    "vehicle": ("car", "truck", "bus", "train", "motorcycle", "bicycle"),
}
NINETEEN = tuple(name for names in CATEGORIES.values() for name in names)


def city_labels(key):
    """labelIds (H, W): every class in each picture."""
    rng = np.random.default_rng(int(key.split("_")[1]))
    ids = np.array(list(LABEL_IDS.values()))
    return rng.permutation(np.resize(ids, HEIGHT * WIDTH)).reshape(HEIGHT, WIDTH).astype(np.uint8)


def train_ids(labels):
    known = {LABEL_IDS[name]: train for train, name in enumerate(NINETEEN)}
    return np.vectorize(lambda number: known.get(number, 255))(labels).astype(np.uint8)


def city_disparity(key):
    """uint16: 0 where nothing was measured."""
    rng = np.random.default_rng(int(key.split("_")[1]) + 1)
    stored = rng.integers(2, 32257, size=(HEIGHT, WIDTH)).astype(np.uint16)
    stored[rng.random(stored.shape) < 0.2] = 0
    stored[0, :3] = 0, 1, 257
    return stored


def write_cityscapes(root: Path, split="train", keys=CITY_KEYS):
    for number, key in enumerate(keys):
        folder = Path(split) / key.split("_")[0]
        labels = city_labels(key)
        save(root / "leftImg8bit" / folder / f"{key}_leftImg8bit.png", picture(number))
        save(root / "gtFine" / folder / f"{key}_gtFine_labelIds.png", labels)
        save(root / "gtFine" / folder / f"{key}_gtFine_labelTrainIds.png", train_ids(labels))
        save(root / "disparity" / folder / f"{key}_disparity.png", city_disparity(key))


def citizen(label, box, part=None):
    return {"instanceId": 24000, "bbox": list(box), "bboxVis": list(part or box), "label": label}


CITIZENS = (
    (citizen("pedestrian", (10, 5, 12, 30), (10, 5, 12, 15)), citizen("rider", (40, 10, 10, 24))),
    (),
    (citizen("person group", (5, 20, 40, 30)), citizen("pedestrian", (60, 10, 8, 20)), citizen("ignore", (0, 0, 9, 9))),
)


def write_citypersons(root: Path, split="train", keys=CITY_KEYS, citizens=CITIZENS):
    write_cityscapes(root, split, keys)
    for key, objects in zip(keys, citizens, strict=True):
        write_json(citypersons_path(root, key, split), {"imgHeight": HEIGHT, "imgWidth": WIDTH, "objects": list(objects)})


def citypersons_path(root, key, split="train"):
    return root / "gtBboxCityPersons" / split / key.split("_")[0] / f"{key}_gtBboxCityPersons.json"


def write_json(path: Path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
