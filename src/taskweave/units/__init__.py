"""What happens where streams meet. Each unit is built from the shapes of the features that meet."""

from taskweave.units.attention import Attention
from taskweave.units.common_stitch import CommonStitch
from taskweave.units.cross_connection import CrossConnection
from taskweave.units.cross_stitch import CrossStitch
from taskweave.units.cross_talk import CrossTalk
from taskweave.units.identity import Identity
from taskweave.units.lane_mixing import LaneMixing
from taskweave.units.layer_mixing import LayerMixing
from taskweave.units.nddr import NDDR
from taskweave.units.scale_layer import ScaleLayer
from taskweave.units.shortcut import Shortcut
from taskweave.units.sluice import Sluice
from taskweave.units.unit import Unit

__all__ = [
    "NDDR",
    "Attention",
    "CommonStitch",
    "CrossConnection",
    "CrossStitch",
    "CrossTalk",
    "Identity",
    "LaneMixing",
    "LayerMixing",
    "ScaleLayer",
    "Shortcut",
    "Sluice",
    "Unit",
]
