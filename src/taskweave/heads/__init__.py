"""Heads: features in, the raw prediction of one task out."""

from taskweave.heads.anchors import BIRDS, PEDESTRIANS, AnchorHead, Anchors, proposals_of
from taskweave.heads.boxes import ANCHOR_WEIGHTS, ROI_WEIGHTS, decode_boxes, encode_boxes
from taskweave.heads.dense import ASPP, AsppV3, FCN32s, LargeFOV, PyramidPooling
from taskweave.heads.head import Head
from taskweave.heads.layers import ConvReLU, FullyConnected, classifier
from taskweave.heads.outputs import AnchorOutputs, RoiAttributes, RoiOutputs
from taskweave.heads.pooled import PooledLinear, VGGClassifier
from taskweave.heads.roi import RoiBoxes, RoiPooling, RoiScores

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
