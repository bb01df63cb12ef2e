"""Scoring in the engines that run inside this process."""

from __future__ import annotations

from sql_scoring import *  # noqa: F403
from sql_scoring import engine_of

engine = engine_of("datafusion", "duckdb", "polars", "sqlite")
