"""Tasks: what is predicted, from what output, and how good it is."""

from typing import TYPE_CHECKING

from taskweave.lazy import lazy_names

if TYPE_CHECKING:
    from taskweave.heads.anchors import decode_boxes as decode_boxes, encode_boxes as encode_boxes
    from taskweave.tasks.anchor_loss import AnchorLoss as AnchorLoss, Matching as Matching, Sampling as Sampling
    from taskweave.tasks.attributes import Attributes as Attributes, MeasuredOn as MeasuredOn
    from taskweave.tasks.box_regression import (
        BoxLoss as BoxLoss,
        BoxRegression as BoxRegression,
        BoxUnit as BoxUnit,
        distance_iou_loss as distance_iou_loss,
    )
    from taskweave.tasks.checks import LossResolution as LossResolution
    from taskweave.tasks.depth import Depth as Depth
    from taskweave.tasks.detection import (
        Detection as Detection,
        DetectionTask as DetectionTask,
        SoftBoxes as SoftBoxes,
        Suppression as Suppression,
    )
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
    from taskweave.tasks.roi_detection import RoiDetection as RoiDetection, TorchvisionDetection as TorchvisionDetection
    from taskweave.tasks.segmentation import (
        CrossEntropy as CrossEntropy,
        Segmentation as Segmentation,
        SummedCrossEntropy as SummedCrossEntropy,
        dice_loss as dice_loss,
        focal_loss as focal_loss,
        median_frequency as median_frequency,
    )
    from taskweave.tasks.task import (
        Direction as Direction,
        Form as Form,
        Labels as Labels,
        Task as Task,
        mean_soft as mean_soft,
    )
    from taskweave.tasks.whole_images import Age as Age, Classification as Classification
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__, __file__)
