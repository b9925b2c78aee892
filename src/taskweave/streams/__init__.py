"""Streams: a network kept whole, plus its ordered, named stages."""

from taskweave.streams.convert import as_stream as as_stream, trace_stream as trace_stream
from taskweave.streams.stream import Memory as Memory, Step as Step, Stream as Stream
