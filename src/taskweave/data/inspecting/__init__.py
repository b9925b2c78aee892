"""Looks at a folder of data: `inspect` says which layout it is in, what is in it, and warns of known traps."""

from taskweave.data.inspecting.inspection import inspect as inspect
from taskweave.data.inspecting.layout import Layout as Layout
from taskweave.data.inspecting.layout import View as View
from taskweave.data.inspecting.result import Inspection as Inspection
