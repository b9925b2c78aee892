"""Heads: features in, the raw prediction of one task out."""

from typing import TYPE_CHECKING

from taskweave.lazy import lazy_names

if TYPE_CHECKING:
    from taskweave.heads.anchors import (
        BIRDS as BIRDS,
        PEDESTRIANS as PEDESTRIANS,
        AnchorHead as AnchorHead,
        Anchors as Anchors,
        proposals_of as proposals_of,
    )
    from taskweave.heads.boxes import (
        ANCHOR_WEIGHTS as ANCHOR_WEIGHTS,
        ROI_WEIGHTS as ROI_WEIGHTS,
        decode_boxes as decode_boxes,
        encode_boxes as encode_boxes,
    )
    from taskweave.heads.dense import (
        ASPP as ASPP,
        AsppV3 as AsppV3,
        FCN32s as FCN32s,
        LargeFOV as LargeFOV,
        PyramidPooling as PyramidPooling,
    )
    from taskweave.heads.head import Head as Head
    from taskweave.heads.layers import ConvReLU as ConvReLU, FullyConnected as FullyConnected, classifier as classifier
    from taskweave.heads.outputs import (
        AnchorOutputs as AnchorOutputs,
        RoiAttributes as RoiAttributes,
        RoiOutputs as RoiOutputs,
    )
    from taskweave.heads.pooled import PooledLinear as PooledLinear, VGGClassifier as VGGClassifier
    from taskweave.heads.roi import RoiBoxes as RoiBoxes, RoiPooling as RoiPooling, RoiScores as RoiScores
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__, __file__)
