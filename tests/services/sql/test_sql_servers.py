"""Scoring in engines that are servers, or take their time to start."""

from __future__ import annotations

from sql_scoring import *  # noqa: F403
from sql_scoring import engine_of

engine = engine_of("clickhouse", "firebird", "mariadb", "postgresql", "spark", "spark without ANSI")
