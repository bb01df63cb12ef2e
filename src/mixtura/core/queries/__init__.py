"""Passes as aggregate queries of a database, in expressions: what kernels compute of rows in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixtura._lazy import lazy_names

if TYPE_CHECKING:
    from mixtura.core.queries.moment_sums import expectation_query, given_query, scoring_query, weight_query

__all__ = ["expectation_query", "given_query", "scoring_query", "weight_query"]

if not TYPE_CHECKING:  # a type checker that saw __getattr__ would take every name for one
    __getattr__, __dir__ = lazy_names(
        __name__, {"moment_sums": "expectation_query given_query scoring_query weight_query"}
    )
