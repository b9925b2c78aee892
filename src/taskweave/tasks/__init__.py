"""Tasks: what is predicted, from what output, and how good it is. Their metrics are imported when first made."""

from taskweave.tasks.dense import LossResolution as LossResolution
from taskweave.tasks.depth import Depth as Depth
from taskweave.tasks.manhattan import align_to_manhattan as align_to_manhattan
from taskweave.tasks.manhattan import manhattan_frame as manhattan_frame
from taskweave.tasks.normal_codebook import NormalsByCodebook as NormalsByCodebook
from taskweave.tasks.normal_codebook import fit_codebook as fit_codebook
from taskweave.tasks.normals import Normals as Normals
from taskweave.tasks.normals import NormalsTask as NormalsTask
from taskweave.tasks.normals import cosine_loss as cosine_loss
from taskweave.tasks.normals import l2_loss as l2_loss
from taskweave.tasks.segmentation import Segmentation as Segmentation
from taskweave.tasks.segmentation import median_frequency as median_frequency
from taskweave.tasks.segmentation_losses import CrossEntropy as CrossEntropy
from taskweave.tasks.segmentation_losses import dice_loss as dice_loss
from taskweave.tasks.segmentation_losses import focal_loss as focal_loss
from taskweave.tasks.task import Direction as Direction
from taskweave.tasks.task import Task as Task
from taskweave.tasks.task import mean_soft as mean_soft
