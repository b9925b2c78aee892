"""Tasks: what is predicted, from what output, and how good it is."""

from taskweave.heads.boxes import decode_boxes, encode_boxes
from taskweave.tasks.age import Age
from taskweave.tasks.anchor_loss import AnchorLoss, Matching, Sampling
from taskweave.tasks.attributes import Attributes, MeasuredOn
from taskweave.tasks.box_regression import BoxLoss, BoxRegression, BoxUnit, distance_iou_loss
from taskweave.tasks.classification import Classification
from taskweave.tasks.dense import LossResolution
from taskweave.tasks.depth import Depth
from taskweave.tasks.detection import Detection
from taskweave.tasks.detections import DetectionTask, SoftBoxes, Suppression
from taskweave.tasks.labels import Labels
from taskweave.tasks.manhattan import align_to_manhattan, manhattan_frame
from taskweave.tasks.normals import Angles, Normals, NormalsByCodebook, NormalsTask, cosine_loss, fit_codebook, l2_loss
from taskweave.tasks.roi_detection import RoiDetection
from taskweave.tasks.segmentation import Segmentation, median_frequency
from taskweave.tasks.segmentation_losses import CrossEntropy, SummedCrossEntropy, dice_loss, focal_loss
from taskweave.tasks.task import Direction, Form, Task, mean_soft
from taskweave.tasks.torchvision_detection import TorchvisionDetection

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
