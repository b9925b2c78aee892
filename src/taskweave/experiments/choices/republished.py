"""NYUv2 and Cityscapes as authors of multi-task papers published them again."""

from __future__ import annotations

from typing import Literal, final

from pydantic import Field

from taskweave.experiments.choices.data import NYUv2Choice
from taskweave.experiments.choices.names import Names
from taskweave.experiments.choices.streets import CityscapesDepthChoice


@final
class AdaShareNYUv2(NYUv2Choice):
    """AdaShare's nyu_v2_3task.json: 480 x 640, 40 classes, depth, normals as PNG."""

    kind: Literal["adashare_nyuv2"] = "adashare_nyuv2"


class NumberedCityscapes(CityscapesDepthChoice):
    """What small copies of Cityscapes state."""

    size_of_files: tuple[int, int] = Field(default=(256, 512))
    """(height, width) of the files, for the cost of a picture where `size` is not given."""

    @property
    def native_size(self) -> tuple[int, int]:
        return self.size_of_files


class MtanFiles(NumberedCityscapes):
    """What has MTAN's files and class sets."""

    classes: Literal[19, 7, 2] = 7
    """19, 7, or 2: humans and vehicles against the rest."""

    @property
    def names(self) -> Names:
        from taskweave.data.readers.streets.cityscapes_mtan import MTAN_CLASSES, MTAN_LABELS

        return Names(MTAN_LABELS, MTAN_CLASSES[self.classes])


@final
class CityscapesMtan(MtanFiles):
    """The npy tree of Cityscapes that MTAN published: 256 x 512 or 128 x 256; 19, 7 or 2 classes, inverse depth."""

    kind: Literal["cityscapes_mtan"] = "cityscapes_mtan"


@final
class AdaShareCityscapes(MtanFiles):
    """AdaShare's cityscape.json over npy files as MTAN's."""

    kind: Literal["adashare_cityscapes"] = "adashare_cityscapes"
    classes: Literal[19, 7, 2] = 19


@final
class AutoLambda(NumberedCityscapes):
    """The PNG tree that Auto-Lambda's script makes of Cityscapes: 256 x 512, labelIds, disparities."""

    kind: Literal["auto_lambda"] = "auto_lambda"

    @property
    def names(self) -> Names:
        from taskweave.data.readers.streets.cityscapes_labels import CITYSCAPES_CLASSES
        from taskweave.data.readers.streets.cityscapes_mtan import MTAN_LABELS

        return Names(MTAN_LABELS, CITYSCAPES_CLASSES[self.classes])
