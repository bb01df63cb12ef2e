"""Where rows live: each module turns one kind of source into blocks."""

from mixtura.data.arrays import ArrayBlocks, block_size
from mixtura.data.open import open_rows

__all__ = ["ArrayBlocks", "block_size", "open_rows"]
