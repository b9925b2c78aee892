"""What happens where streams meet. Each unit is built from the shapes of the features that meet."""

from typing import TYPE_CHECKING

from taskweave.lazy import lazy_names

if TYPE_CHECKING:
    from taskweave.units.attention import Attention as Attention
    from taskweave.units.cross_connection import CrossConnection as CrossConnection, CrossTalk as CrossTalk
    from taskweave.units.cross_stitch import (
        CommonStitch as CommonStitch,
        CrossStitch as CrossStitch,
        ScaleLayer as ScaleLayer,
    )
    from taskweave.units.gathering import LayerMixing as LayerMixing, Shortcut as Shortcut
    from taskweave.units.lane_mixing import LaneMixing as LaneMixing
    from taskweave.units.nddr import NDDR as NDDR
    from taskweave.units.sluice import Sluice as Sluice
    from taskweave.units.unit import Identity as Identity, Unit as Unit
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__, __file__)
