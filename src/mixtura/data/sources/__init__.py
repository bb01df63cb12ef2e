"""Tables that are not held in memory: files, databases, streams of Arrow, read as batches of rows."""

from mixtura.data.sources.batches import Source, read_whole
from mixtura.data.sources.find_source import open_source, unread

__all__ = ["Source", "open_source", "read_whole", "unread"]
