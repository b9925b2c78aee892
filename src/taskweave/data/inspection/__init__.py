"""Looks at a folder of data: `inspect` says which layout it is in, what is in it, and warns of known traps."""

from taskweave.data.inspection.facts import Inspection as Inspection
from taskweave.data.inspection.inspection import inspect as inspect
from taskweave.data.inspection.layout import Layout as Layout, View as View
