"""Heads: features in, the raw prediction of one task out."""

from taskweave.heads.convolution import ConvReLU, classifier
from taskweave.heads.deeplab import ASPP, ASPPv3, LargeFOV
from taskweave.heads.fcn import FCN32s

__all__ = ["ASPP", "ASPPv3", "ConvReLU", "FCN32s", "LargeFOV", "classifier"]
