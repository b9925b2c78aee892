"""Heads: features in, the raw prediction of one task out."""

from typing import TYPE_CHECKING

from taskweave.lazy import lazy_names

if TYPE_CHECKING:
    from taskweave.heads.anchors import (
        ANCHOR_WEIGHTS as ANCHOR_WEIGHTS,
        BIRDS as BIRDS,
        PEDESTRIANS as PEDESTRIANS,
        ROI_WEIGHTS as ROI_WEIGHTS,
        AnchorHead as AnchorHead,
        Anchors as Anchors,
        decode_boxes as decode_boxes,
        encode_boxes as encode_boxes,
        proposals_of as proposals_of,
    )
    from taskweave.heads.dense import (
        ASPP as ASPP,
        AsppV3 as AsppV3,
        FCN32s as FCN32s,
        LargeFOV as LargeFOV,
        PyramidPooling as PyramidPooling,
    )
    from taskweave.heads.layers import (
        AnchorOutputs as AnchorOutputs,
        ConvReLU as ConvReLU,
        FullyConnected as FullyConnected,
        Head as Head,
        RoiAttributes as RoiAttributes,
        RoiOutputs as RoiOutputs,
        classifier as classifier,
    )
    from taskweave.heads.pooled import (
        PooledLinear as PooledLinear,
        RoiBoxes as RoiBoxes,
        RoiPooling as RoiPooling,
        RoiScores as RoiScores,
        VGGClassifier as VGGClassifier,
    )
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__, __file__)
