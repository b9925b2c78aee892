"""Tasks: what is predicted, from what output, and how good it is."""

from taskweave.heads.anchors import decode_boxes, encode_boxes
from taskweave.tasks.anchor_loss import AnchorLoss, Matching, Sampling
from taskweave.tasks.attributes import Attributes, MeasuredOn
from taskweave.tasks.box_regression import BoxLoss, BoxRegression, BoxUnit, distance_iou_loss
from taskweave.tasks.checks import LossResolution
from taskweave.tasks.depth import Depth
from taskweave.tasks.detection import Detection, DetectionTask, SoftBoxes, Suppression
from taskweave.tasks.manhattan import align_to_manhattan, manhattan_frame
from taskweave.tasks.normals import Angles, Normals, NormalsByCodebook, NormalsTask, cosine_loss, fit_codebook, l2_loss
from taskweave.tasks.roi_detection import RoiDetection, TorchvisionDetection
from taskweave.tasks.segmentation import (
    CrossEntropy,
    Segmentation,
    SummedCrossEntropy,
    dice_loss,
    focal_loss,
    median_frequency,
)
from taskweave.tasks.task import Direction, Form, Labels, Task, mean_soft
from taskweave.tasks.whole_images import Age, Classification

__all__ = [
    "Age",
    "AnchorLoss",
    "Angles",
    "Attributes",
    "BoxLoss",
    "BoxRegression",
    "BoxUnit",
    "Classification",
    "CrossEntropy",
    "Depth",
    "Detection",
    "DetectionTask",
    "Direction",
    "Form",
    "Labels",
    "LossResolution",
    "Matching",
    "MeasuredOn",
    "Normals",
    "NormalsByCodebook",
    "NormalsTask",
    "RoiDetection",
    "Sampling",
    "Segmentation",
    "SoftBoxes",
    "SummedCrossEntropy",
    "Suppression",
    "Task",
    "TorchvisionDetection",
    "align_to_manhattan",
    "cosine_loss",
    "decode_boxes",
    "dice_loss",
    "distance_iou_loss",
    "encode_boxes",
    "fit_codebook",
    "focal_loss",
    "l2_loss",
    "manhattan_frame",
    "mean_soft",
    "median_frequency",
]
