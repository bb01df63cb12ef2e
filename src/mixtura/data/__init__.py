"""Where rows live: each module turns one kind of source into blocks."""

from mixtura.data.arrays import ArrayBlocks, block_size

__all__ = ["ArrayBlocks", "block_size"]
