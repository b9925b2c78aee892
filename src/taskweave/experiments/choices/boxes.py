"""Data sets with boxes: objects, their attributes, masks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, final

from pydantic import Field

from taskweave.experiments.choices.data import FolderChoice, Share, Size
from taskweave.experiments.choices.names import ATTRIBUTES, DETECTION, Names

Classes = tuple[str, ...]


@final
class PennFudan(FolderChoice):
    """Penn-Fudan pedestrians: PNGImages/, PedMasks/, Annotation/; boxes of persons, and their masks as one class."""

    kind: Literal["penn_fudan"] = "penn_fudan"
    split_seed: int = 0
    """The release has no split: this one draws it."""
    test_share: Annotated[Share, Field(gt=0.0)] = 0.3

    @property
    def names(self) -> Names:
        return Names((DETECTION, "segmentation"), ("background", "person"), ("person",))


@final
class VOC(FolderChoice):
    """PASCAL VOC: the folder VOCdevkit."""

    kind: Literal["voc"] = "voc"
    year: Literal[2007, 2008, 2009, 2010, 2011, 2012]
    train_split: str = "train"
    test_split: str = "val"
    classes: Classes = ()
    """Those to keep; () for all 20."""

    @property
    def names(self) -> Names:
        from taskweave.data.readers.boxes.voc import VOC_CLASSES

        return Names((DETECTION,), (), self.classes or VOC_CLASSES)


@final
class APascal(FolderChoice):
    """aPascal: objects of VOC2008's images with 64 attributes; the authors' train list and their test list."""

    kind: Literal["apascal"] = "apascal"
    images: Path | None = None
    """VOC2008's JPEGImages; None for VOCdevkit/VOC2008/JPEGImages in `path`."""
    classes: Classes = ()
    """Those to keep; () for VOC's 20."""

    @property
    def names(self) -> Names:
        from taskweave.data.readers.boxes.voc import VOC_CLASSES

        numbered = tuple(f"attribute {number}" for number in range(1, 65))  # their names are in a file
        return Names((DETECTION, ATTRIBUTES), (), self.classes or VOC_CLASSES, numbered)


@final
class COCO(FolderChoice):
    """Images and a json in COCO's form for each part; `path` is the folder that the other paths count from."""

    kind: Literal["coco"] = "coco"
    train_images: Path = Path("train2017")
    train_annotations: Path = Path("annotations/instances_train2017.json")
    test_images: Path = Path("val2017")
    test_annotations: Path = Path("annotations/instances_val2017.json")
    classes: Annotated[Classes, Field(min_length=1)]

    @property
    def names(self) -> Names:
        return Names((DETECTION,), (), self.classes)


@final
class BoxCSV(FolderChoice):
    """Folders of images and a CSV of boxes for each part; `path` is the folder that the other paths count from."""

    kind: Literal["box_csv"] = "box_csv"
    train_images: Path = Path("images/train")
    train_annotations: Path = Path("annotations/train_labels.csv")
    test_images: Path = Path("images/test")
    test_annotations: Path = Path("annotations/test_labels.csv")
    classes: Annotated[Classes, Field(min_length=1)]

    @property
    def native_size(self) -> tuple[int, int]:
        return (300, 300)

    @property
    def names(self) -> Names:
        return Names((DETECTION,), (), self.classes)


@final
class Birds(FolderChoice):
    """Birds in large landscapes (Kinki, Tomamae): images/, boxes.csv, masks/, lists/, see `taskweave.data.open_birds`."""

    kind: Literal["birds"] = "birds"
    part: Literal["whole", "right half"] = "whole"
    """Which part of each image; the right half of Kinki's, as in the cross-connected paper."""
    least_height: float = Field(default=15.0, ge=0.0)
    """A lower bird is ignored."""
    tile: Size | None = None
    """(height, width) of the tiles that images are cut into for training; tests always see whole images."""
    overlap: int = Field(default=100, ge=0)
    """Pixels that neighbouring tiles share."""
    train_split: str = "train"
    test_split: str = "test"
    image_size: Size = (3744, 5616)
    """(height, width) of the files, for the cost of a picture."""

    @property
    def native_size(self) -> tuple[int, int]:
        height, width = self.image_size
        return (height, width // 2) if self.part == "right half" else (height, width)

    @property
    def training_size(self) -> tuple[int, int]:
        return self.augmentation.crop or self.size or self.tile or self.native_size

    @property
    def names(self) -> Names:
        from taskweave.data.readers.boxes.birds import BIRD_CLASSES

        return Names((DETECTION, "segmentation"), BIRD_CLASSES, ("bird",))
