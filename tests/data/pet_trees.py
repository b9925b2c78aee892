"""Small generated pets and faces in the layouts that they are published in, and the truth that was written."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from data.box_trees import inclusive
from data.trees import save
from PIL import Image


@dataclass(frozen=True)
class Pet:
    """breed: from 1, as in the lists. heads: x1, y1, x2, y2, edges in pixels from 0; None for no XML at all."""

    key: str
    breed: int
    species: int
    size: tuple[int, int] = (24, 32)
    heads: tuple | None = ((4, 3, 14, 12),)


PETS = (
    Pet("Abyssinian_1", 1, 1),
    Pet("Abyssinian_2", 1, 1, heads=None),
    Pet("Bengal_5", 6, 1, size=(30, 20), heads=((1, 1, 5, 5), (6, 2, 20, 30))),
    Pet("american_bulldog_3", 2, 2, heads=((0, 0, 32, 24),)),
    Pet("beagle_9", 5, 2, heads=()),
    Pet("beagle_10", 5, 2, heads=((2, 2, 9, 9),)),
)
TEST_PETS = (Pet("Bengal_8", 6, 1, heads=None), Pet("pug_2", 26, 2, heads=None))


def pet_picture(pet):
    height, width = pet.size
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[..., 0] = np.arange(width) * 7
    image[..., 1] = np.arange(height)[:, None] * 8
    image[..., 2] = sum(map(ord, pet.key)) % 251
    return image


def trimap(pet):
    """2 background, a pet from (4, 4) to three pixels before the end, a border of one pixel round it."""
    values = np.full(pet.size, 2, dtype=np.uint8)
    values[3:-2, 3:-2] = 3
    values[4:-3, 4:-3] = 1
    return values


def xml(pet, *, size=None, objects=None):
    height, width = size or pet.size
    written = "".join(head(box) for box in pet.heads) if objects is None else objects
    return f"<annotation><size><width>{width}</width><height>{height}</height></size>{written}</annotation>"


def head(box):
    x1, y1, x2, y2 = inclusive(box)
    return (
        f"<object><name>cat</name><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox>"
        "</object>"
    )


def write_pets(root, *, pets=PETS, test=TEST_PETS):
    annotations = root / "annotations"
    for folder in (root / "images", annotations / "trimaps", annotations / "xmls"):
        folder.mkdir(parents=True, exist_ok=True)
    for pet in (*pets, *test):
        save(root / "images" / f"{pet.key}.png", pet_picture(pet))
        (root / "images" / f"{pet.key}.png").rename(root / "images" / f"{pet.key}.jpg")  # PNG named .jpg: exact
        save(annotations / "trimaps" / f"{pet.key}.png", trimap(pet))
        if pet.heads is not None:
            (annotations / "xmls" / f"{pet.key}.xml").write_text(xml(pet))
    rows = {"trainval": pets, "test": test, "list": (*pets, *test)}
    for name, members in rows.items():
        lines = [f"{pet.key} {pet.breed} {pet.species} 1" for pet in members]
        comments = ["#Image CLASS-ID SPECIES BREED ID", ""] if name == "list" else []
        (annotations / f"{name}.txt").write_text("\n".join([*comments, *lines]) + "\n")


def write_boxed_pets(root):
    """Only those with one head, and no test part."""
    write_pets(root, pets=(PETS[0], PETS[3]), test=())
    (root / "annotations/test.txt").unlink()


H5_COUNT, H5_SIZE = 7, (8, 10)


def h5_rows(count=H5_COUNT):
    """images, masks, bboxes, binary as the published scripts read them."""
    rng = np.random.default_rng(3)
    height, width = H5_SIZE
    corners = np.stack([rng.integers(0, 4, count), rng.integers(0, 3, count)], axis=1)
    return {
        "images": rng.integers(0, 256, (count, height, width, 3)).astype(np.uint8),
        "masks": rng.integers(0, 2, (count, height, width, 1)).astype(np.uint8),
        "bboxes": np.concatenate([corners, corners + np.array([6, 5])], axis=1).astype(np.float32),
        "binary": rng.integers(0, 2, (count, 1)).astype(np.uint8),
    }


def write_pets_h5(root, *, chunk=3, **changed):
    """changed: {file: array} instead of the usual one."""
    import h5py

    root.mkdir(parents=True, exist_ok=True)
    for name, values in (h5_rows() | changed).items():
        with h5py.File(root / f"{name}.h5", "w") as file:
            file.create_dataset(name, data=values, chunks=(min(chunk, len(values)), *values.shape[1:]))


UTK_NAMES = (
    "26_0_1_20170116174525125.jpg.chip.jpg",
    "0_1_2_20170116174525125.jpg.chip.jpg",  # the same stamp: one photograph
    "99_1_4_20170112213500903.jpg.chip.jpg",
    "7_0_0_20170117195420803.jpg.chip.jpg",
    "45_1_3_20170110155201038.jpg.chip.jpg",
)
UTK_MISNAMED = (
    "39_1_20170116174525125.jpg.chip.jpg",  # no race
    "24_0_1_20170116220224657 .jpg.chip.jpg",  # a space
    "55_0_0_20170116232725357jpg.chip.jpg",  # a missing dot
    "holiday.png",
)
UTK_OLD = ("100_0_0_20170112215240346.jpg.chip.jpg", "116_1_2_20170112220255503.jpg.chip.jpg")


def write_utkface(root, *, names=(*UTK_NAMES, *UTK_MISNAMED, *UTK_OLD)):
    root.mkdir(parents=True, exist_ok=True)
    (root / "notes.txt").write_text("not a picture")
    for number, name in enumerate(names):
        colours = np.full((8, 8, 3), 20 * number, dtype=np.uint8)
        colours[:, 4:, 0] += 9
        Image.fromarray(colours).save(root / name, format="JPEG")


def matlab_day(when):
    """MATLAB's number of a date: 1 January of the year 0 is day 1, and 1 January 2000 is 730486."""
    return 730486 + (when - date(2000, 1, 1)).days


@dataclass(frozen=True)
class Entry:
    """One image of IMDB-WIKI; gender 0 female, 1 male."""

    name: str
    born: date | None
    year: int
    gender: float
    score: float = 3.0
    second: float = float("nan")


ENTRIES = (
    Entry("Ada Lovelace", date(1950, 6, 30), 1990, 0.0),  # 40 on 1 July
    Entry("Ada Lovelace", date(1950, 7, 1), 1990, 0.0),  # 40: born on the day itself
    Entry("Alan Turing", date(1950, 7, 2), 1990, 1.0),  # 39
    Entry("Grace Hopper", date(1900, 1, 1), 1999, 0.0),  # 99
    Entry("Kurt Goedel", date(1980, 7, 1), 1980, 1.0),  # 0
)
AGES = (40, 40, 39, 99, 0)
LEFT_OUT = {
    "no face": Entry("A", date(1950, 1, 1), 1990, 0.0, score=float("-inf")),
    "faint face": Entry("A", date(1950, 1, 1), 1990, 0.0, score=0.9),
    "second face": Entry("A", date(1950, 1, 1), 1990, 0.0, second=2.5),
    "no gender": Entry("A", date(1950, 1, 1), 1990, float("nan")),
    "too old": Entry("A", date(1899, 1, 1), 1999, 0.0),
    "not born yet": Entry("A", date(1990, 1, 1), 1980, 0.0),
    "no birthday": Entry("A", None, 1990, 0.0),
    "no name": Entry(" ", date(1950, 1, 1), 1990, 0.0),
}


def write_imdb_wiki(root, *, source="imdb", entries=ENTRIES):
    from scipy.io import savemat

    folder = root / f"{source}_crop"
    (folder / "01").mkdir(parents=True, exist_ok=True)
    files = [f"01/face{number}.jpg" for number in range(len(entries))]
    for number, file in enumerate(files):
        colours = np.full((8, 8, 3), 10 * number, dtype=np.uint8)
        colours[4:, :, 1] += 50
        Image.fromarray(colours).save(folder / file)
    days = [0.0 if entry.born is None else float(matlab_day(entry.born)) for entry in entries]
    savemat(folder / f"{source}.mat", {source: fields_of(entries, days, files)})


def fields_of(entries, days, files):
    return {
        "dob": np.array([days]),
        "photo_taken": np.array([[entry.year for entry in entries]], dtype=np.uint16),
        "full_path": cells(files),
        "gender": np.array([[entry.gender for entry in entries]]),
        "name": cells([entry.name for entry in entries]),
        "face_location": cells([np.array([[1.0, 1.0, 8.0, 8.0]])] * len(entries)),
        "face_score": np.array([[entry.score for entry in entries]]),
        "second_face_score": np.array([[entry.second for entry in entries]]),
    }


def cells(values):
    cell = np.empty((1, len(values)), dtype=object)
    for place, value in enumerate(values):
        cell[0, place] = value
    return cell
