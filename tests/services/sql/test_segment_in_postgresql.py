"""Segments of a table that stays in a real PostgreSQL server."""

from __future__ import annotations

from database_segments import *  # noqa: F403
from database_segments import loaded

connection = loaded("postgresql")
