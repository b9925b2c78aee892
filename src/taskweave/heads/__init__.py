"""Heads: features in, the raw prediction of one task out."""

from taskweave.heads.anchors import BIRDS, PEDESTRIANS, Anchors
from taskweave.heads.boxes import ANCHOR_WEIGHTS, ROI_WEIGHTS, decode_boxes, encode_boxes
from taskweave.heads.convolution import ConvReLU, classifier
from taskweave.heads.deeplab import ASPP, ASPPv3, LargeFOV
from taskweave.heads.fcn import FCN32s
from taskweave.heads.outputs import AnchorOutputs, RoiAttributes, RoiOutputs
from taskweave.heads.pooled import PooledLinear
from taskweave.heads.pyramid import PyramidPooling
from taskweave.heads.roi import FullyConnected, RoiBoxes, RoiPooling, RoiScores
from taskweave.heads.rpn import AnchorHead, proposals_of
from taskweave.heads.vgg import VGGClassifier

__all__ = [
    "ANCHOR_WEIGHTS",
    "ASPP",
    "BIRDS",
    "PEDESTRIANS",
    "ROI_WEIGHTS",
    "ASPPv3",
    "AnchorHead",
    "AnchorOutputs",
    "Anchors",
    "ConvReLU",
    "FCN32s",
    "FullyConnected",
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
