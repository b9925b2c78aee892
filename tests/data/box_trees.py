"""Small generated data in the layouts that sets of boxes are published in, and the truth that was written."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from data.trees import save, write_list

COLUMNS = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class Thing:
    """box: x1, y1, x2, y2, edges in pixels from 0."""

    name: str
    box: tuple[int, int, int, int]
    ignore: bool = False


@dataclass(frozen=True)
class Shot:
    key: str
    size: tuple[int, int]
    things: tuple[Thing, ...]


SHOTS = (
    Shot("000001", (24, 40), (Thing("person", (0, 0, 40, 24)), Thing("dog", (3, 5, 10, 11), ignore=True))),
    Shot("000002", (30, 20), (Thing("cat", (2, 1, 19, 30)),)),
    Shot("000003", (24, 32), ()),
    Shot("000004", (16, 48), (Thing("person", (20, 2, 30, 15)), Thing("person", (40, 0, 48, 16)))),
)


def picture(shot):
    rng = np.random.default_rng(int(shot.key))
    height, width = shot.size
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[..., 0] = np.arange(width) * 5
    image[..., 1] = np.arange(height)[:, None] * 6
    image[..., 2] = rng.integers(0, 255)
    return image


def inclusive(box):
    """Edges from 0 -> pixels from 1, the last one included."""
    x1, y1, x2, y2 = box
    return x1 + 1, y1 + 1, x2, y2


def voc_object(thing, *, parts=False):
    return (
        f"<object><name>{thing.name}</name><difficult>{int(thing.ignore)}</difficult>"
        + ("<part><name>head</name>" + _bndbox((1, 1, 2, 2)) + "</part>" if parts else "")
        + _bndbox(inclusive(thing.box))
        + "</object>"
    )


def _bndbox(box):
    # not in the usual order, since the release's files are not either
    names = ("xmax", "xmin", "ymax", "ymin")
    values = dict(zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    return "<bndbox>" + "".join(f"<{name}>{values[name]}</{name}>" for name in names) + "</bndbox>"


def voc_xml(shot, *, size=True):
    height, width = shot.size
    head = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>" if size else ""
    objects = "".join(voc_object(thing, parts=thing.name == "person") for thing in shot.things)
    return f"<annotation><filename>{shot.key}.jpg</filename>{head}{objects}</annotation>"


def write_voc(root: Path, *, year=2007, split="trainval"):
    folder = root / f"VOC{year}"
    for shot in SHOTS:
        save(folder / "JPEGImages" / f"{shot.key}.jpg", picture(shot))
        file = folder / "Annotations" / f"{shot.key}.xml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(voc_xml(shot))
    main = folder / "ImageSets" / "Main"
    write_list(main / f"{split}.txt", [shot.key for shot in SHOTS])
    write_list(
        main / f"dog_{split}.txt", [f"{shot.key} {flag:2d}" for shot, flag in zip(SHOTS, (0, -1, -1, 1), strict=True)]
    )
    return SHOTS


def apascal_row(shot, thing, attributes):
    return " ".join(str(value) for value in (f"{shot.key}.jpg", thing.name, *inclusive(thing.box), *attributes))


def write_apascal(root: Path, *, split="train"):
    """Object n has attribute n (and, the first, none). Returns the shots with objects, and the values."""
    for shot in SHOTS:
        save(root / "VOCdevkit" / "VOC2008" / "JPEGImages" / f"{shot.key}.jpg", picture(shot))
    rows, values = [], []
    for shot in SHOTS:
        for thing in shot.things:
            values.append([int(place == len(rows) and place > 0) for place in range(64)])
            rows.append(apascal_row(shot, thing, values[-1]))
    folder = root / "attribute_data"
    write_list(folder / f"apascal_{split}.txt", rows)
    write_list(folder / "attribute_names.txt", [f"Attribute {place}" for place in range(64)])
    write_list(folder / "class_names.txt", [*voc_classes(), "donkey", "mug"])
    return [shot for shot in SHOTS if shot.things], values


def voc_classes():
    """As VOC's development kit lists them."""
    vehicles = ("aeroplane", "bicycle", "boat", "bus", "car", "motorbike", "train")
    animals = ("bird", "cat", "cow", "dog", "horse", "sheep")
    indoor = ("bottle", "chair", "diningtable", "pottedplant", "sofa", "tvmonitor")
    return sorted((*vehicles, *animals, *indoor, "person"))


def penn_fudan_text(shot):
    height, width = shot.size
    kinds = " ".join('"PASpersonWalking"' for _ in shot.things)
    lines = [
        "# Compatible with PASCAL Annotation Version 1.00",
        f'Image filename : "PennFudanPed/PNGImages/{shot.key}.png"',
        f"Image size (X x Y x C) : {width} x {height} x 3",
        f"Objects with ground truth : {len(shot.things)} {{ {kinds} }}",
    ]
    for number, thing in enumerate(shot.things, start=1):
        x1, y1, x2, y2 = inclusive(thing.box)
        lines.append(f'Original label for object {number} "PASpersonWalking" : "PennFudanPed"')
        lines.append(
            f'Bounding box for object {number} "PASpersonWalking" (Xmin, Ymin) - (Xmax, Ymax) : ({x1}, {y1}) - ({x2}, {y2})'
        )
    return "\n".join(lines) + "\n"


def write_penn_fudan(root: Path, *, count=4):
    shots = [
        Shot(f"{number:06d}", (20, 30), (Thing("person", (number % 5, 2, 9, 12)), Thing("person", (15, 0, 30, 20))))
        for number in range(1, count + 1)
    ]
    for shot in shots:
        save(root / "PNGImages" / f"{shot.key}.png", picture(shot))
        mask = np.zeros(shot.size, dtype=np.uint8)
        for number, thing in enumerate(shot.things, start=1):
            x1, y1, x2, y2 = thing.box
            mask[y1:y2, x1:x2] = number
        save(root / "PedMasks" / f"{shot.key}_mask.png", mask)
        file = root / "Annotation" / f"{shot.key}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(penn_fudan_text(shot))
    return shots


def coco_content():
    """Category ids with gaps and in another order than the names'; one crowd; an image without objects."""
    ids = {"person": 1, "dog": 18, "cat": 7}
    images, annotations = [], []
    for number, shot in enumerate(SHOTS, start=1):
        height, width = shot.size
        images.append({"id": number * 10, "file_name": f"{shot.key}.jpg", "width": width, "height": height})
        for thing in shot.things:
            x1, y1, x2, y2 = thing.box
            annotations.append(
                {
                    "id": 500 + len(annotations),
                    "image_id": number * 10,
                    "category_id": ids[thing.name],
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "iscrowd": int(thing.ignore),
                }
            )
    categories = [{"id": ids[name], "name": name} for name in ("dog", "person", "cat")]
    return {"images": images, "annotations": annotations, "categories": categories}


def write_coco(root: Path, content=None):
    for shot in SHOTS:
        save(root / "val2017" / f"{shot.key}.jpg", picture(shot))
    file = root / "annotations" / "instances_val2017.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content or coco_content()))
    return SHOTS


def csv_row(shot, thing):
    return [f"{shot.key}.jpg", shot.size[1], shot.size[0], thing.name, *thing.box]


def write_csv(file: Path, rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as opened:
        csv.writer(opened).writerows([COLUMNS, *rows])


def write_box_csv(root: Path, *, split="train"):
    for shot in SHOTS:
        save(root / "images" / split / f"{shot.key}.jpg", picture(shot))
    write_csv(
        root / "annotations" / f"{split}_labels.csv", [csv_row(shot, thing) for shot in SHOTS for thing in shot.things]
    )
    return SHOTS


BIRDS = (
    # the second bird is cut by the middle (x = 50), the third is in the left half, the fourth is low
    Shot(
        "000011",
        (80, 100),
        tuple(Thing("bird", box) for box in ((60, 10, 80, 30), (46, 40, 66, 60), (5, 5, 25, 25), (70, 60, 90, 70))),
    ),
    Shot("000012", (80, 100), ()),
)


def write_birds(root: Path, *, split="train"):
    for shot in BIRDS:
        save(root / "images" / f"{shot.key}.jpg", picture(shot))
        mask = np.full(shot.size, 3, dtype=np.uint8)  # sky
        mask[50:, 50:] = 4
        mask[:4] = 0
        save(root / "masks" / f"{shot.key}.png", mask)
    write_csv(root / "boxes.csv", [csv_row(shot, thing) for shot in BIRDS for thing in shot.things])
    write_list(root / "lists" / f"{split}.txt", [shot.key for shot in BIRDS])
    return BIRDS
