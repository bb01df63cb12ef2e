"""Segments of a table that stays in its database: sums come back, and a statement that assigns its customers."""

from mixtura.segments.in_database.segment_in_database import segment_in_database

__all__ = ["segment_in_database"]
