"""Tasks: what is predicted, from what output, and how good it is."""

from typing import TYPE_CHECKING

from taskweave.lazy import lazy_names

if TYPE_CHECKING:
    from taskweave.heads.boxes import decode_boxes as decode_boxes, encode_boxes as encode_boxes
    from taskweave.tasks.age import Age as Age
    from taskweave.tasks.anchor_loss import AnchorLoss as AnchorLoss, Matching as Matching, Sampling as Sampling
    from taskweave.tasks.attributes import Attributes as Attributes, MeasuredOn as MeasuredOn
    from taskweave.tasks.box_regression import (
        BoxLoss as BoxLoss,
        BoxRegression as BoxRegression,
        BoxUnit as BoxUnit,
        distance_iou_loss as distance_iou_loss,
    )
    from taskweave.tasks.classification import Classification as Classification
    from taskweave.tasks.dense import LossResolution as LossResolution
    from taskweave.tasks.depth import Depth as Depth
    from taskweave.tasks.detection import Detection as Detection
    from taskweave.tasks.detections import (
        DetectionTask as DetectionTask,
        SoftBoxes as SoftBoxes,
        Suppression as Suppression,
    )
    from taskweave.tasks.labels import Labels as Labels
    from taskweave.tasks.manhattan import align_to_manhattan as align_to_manhattan, manhattan_frame as manhattan_frame
    from taskweave.tasks.normals import (
        Angles as Angles,
        Normals as Normals,
        NormalsByCodebook as NormalsByCodebook,
        NormalsTask as NormalsTask,
        cosine_loss as cosine_loss,
        fit_codebook as fit_codebook,
        l2_loss as l2_loss,
    )
    from taskweave.tasks.roi_detection import RoiDetection as RoiDetection
    from taskweave.tasks.segmentation import Segmentation as Segmentation, median_frequency as median_frequency
    from taskweave.tasks.segmentation_losses import (
        CrossEntropy as CrossEntropy,
        SummedCrossEntropy as SummedCrossEntropy,
        dice_loss as dice_loss,
        focal_loss as focal_loss,
    )
    from taskweave.tasks.task import Direction as Direction, Form as Form, Task as Task, mean_soft as mean_soft
    from taskweave.tasks.torchvision_detection import TorchvisionDetection as TorchvisionDetection
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__, __file__)
