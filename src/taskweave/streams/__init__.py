"""Streams: a network kept whole, plus its ordered, named stages."""

from taskweave.streams.convert import as_stream as as_stream
from taskweave.streams.stream import Memory as Memory, Step as Step, Stream as Stream
from taskweave.streams.tracing import trace_stream as trace_stream
