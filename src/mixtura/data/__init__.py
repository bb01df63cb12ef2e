"""Where rows live: each module turns one kind of source into blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixtura._lazy import lazy_names

if TYPE_CHECKING:
    from mixtura.data.arrays import ArrayBlocks, block_size
    from mixtura.data.arrow_packing import ArrowPacking
    from mixtura.data.database_blocks import DatabaseBlocks
    from mixtura.data.missing import MissingOnDisk
    from mixtura.data.open import open_rows, rows_of_source
    from mixtura.data.packing import Packing, PartFound
    from mixtura.data.partitions import JoinedRows, PartitionedBlocks
    from mixtura.data.row_file import sum_of
    from mixtura.data.sources import unread
    from mixtura.data.sources.database_table import DatabaseTable

__all__ = [
    "ArrayBlocks",
    "ArrowPacking",
    "DatabaseBlocks",
    "DatabaseTable",
    "JoinedRows",
    "MissingOnDisk",
    "Packing",
    "PartFound",
    "PartitionedBlocks",
    "block_size",
    "open_rows",
    "rows_of_source",
    "sum_of",
    "unread",
]

if not TYPE_CHECKING:  # a type checker that saw __getattr__ would take every name for one
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "arrays": "ArrayBlocks block_size",
            "arrow_packing": "ArrowPacking",
            "database_blocks": "DatabaseBlocks",
            "missing": "MissingOnDisk",
            "open": "open_rows rows_of_source",
            "packing": "Packing PartFound",
            "partitions": "JoinedRows PartitionedBlocks",
            "row_file": "sum_of",
            "sources": "unread",
            "sources.database_table": "DatabaseTable",
        },
    )
