"""Heads: features in, the raw prediction of one task out."""

from taskweave.heads.anchors import (
    ANCHOR_WEIGHTS,
    BIRDS,
    PEDESTRIANS,
    ROI_WEIGHTS,
    AnchorHead,
    Anchors,
    decode_boxes,
    encode_boxes,
    proposals_of,
)
from taskweave.heads.dense import ASPP, AsppV3, FCN32s, LargeFOV, PyramidPooling
from taskweave.heads.layers import AnchorOutputs, ConvReLU, FullyConnected, Head, RoiAttributes, RoiOutputs, classifier
from taskweave.heads.pooled import PooledLinear, RoiBoxes, RoiPooling, RoiScores, VGGClassifier

__all__ = [
    "ANCHOR_WEIGHTS",
    "ASPP",
    "BIRDS",
    "PEDESTRIANS",
    "ROI_WEIGHTS",
    "AnchorHead",
    "AnchorOutputs",
    "Anchors",
    "AsppV3",
    "ConvReLU",
    "FCN32s",
    "FullyConnected",
    "Head",
    "LargeFOV",
    "PooledLinear",
    "PyramidPooling",
    "RoiAttributes",
    "RoiBoxes",
    "RoiOutputs",
    "RoiPooling",
    "RoiScores",
    "VGGClassifier",
    "classifier",
    "decode_boxes",
    "encode_boxes",
    "proposals_of",
]
