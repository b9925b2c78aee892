"""From a choice of what multi-task papers published again to the data set that lies there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from taskweave.data.dataset import LabelledSet
from taskweave.experiments.choices.republished import AdaShareCityscapes, AdaShareNYUv2, AutoLambda, CityscapesMtan

Republished = AdaShareNYUv2 | AdaShareCityscapes | CityscapesMtan | AutoLambda


def open_republished(data: Republished, *, test: bool, labels: Sequence[str]) -> LabelledSet:
    """The train or test part, with those labels."""
    match data:
        case AdaShareNYUv2():
            from taskweave.data.readers.indoor.adashare import open_adashare_nyuv2

            return open_adashare_nyuv2(data.path, split=_listed(test), classes=data.classes, labels=labels)
        case AdaShareCityscapes():
            from taskweave.data.readers.indoor.adashare import open_adashare_cityscapes

            return open_adashare_cityscapes(
                data.path,
                split=_listed(test),
                classes=data.classes,
                labels=labels,
                depth=data.depth,
                farthest=data.farthest,
            )
        case CityscapesMtan():
            from taskweave.data.readers.streets.cityscapes_mtan import open_cityscapes_mtan

            return open_cityscapes_mtan(
                data.path,
                split=_in_folder(test),
                classes=data.classes,
                labels=labels,
                depth=data.depth,
                farthest=data.farthest,
            )
        case AutoLambda():
            from taskweave.data.readers.streets.auto_lambda import open_auto_lambda

            return open_auto_lambda(
                data.path,
                split=_in_folder(test),
                classes=data.classes,
                labels=labels,
                depth=data.depth,
                farthest=data.farthest,
            )
        case _:
            assert_never(data)


def _listed(test: bool) -> str:
    return "test" if test else "train"


def _in_folder(test: bool) -> str:
    return "val" if test else "train"
