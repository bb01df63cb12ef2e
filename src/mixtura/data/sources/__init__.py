"""Tables that are not held in memory: files, databases, streams of Arrow, read as batches of rows."""

from mixtura.data.sources.batches import Source, no_rows, read_whole
from mixtura.data.sources.find_source import open_source, unread
from mixtura.data.sources.read_ahead import read_ahead

__all__ = ["Source", "no_rows", "open_source", "read_ahead", "read_whole", "unread"]
