"""What networks begin with: one file each."""

from taskweave.experiments.starts.file import file
from taskweave.experiments.starts.library import library
from taskweave.experiments.starts.scenes import scenes
from taskweave.experiments.starts.scratch import scratch
from taskweave.experiments.starts.start import Start

__all__ = ["Start", "file", "library", "scenes", "scratch"]
