"""Exports: models written for databases and other runtimes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixtura._lazy import lazy_names
from mixtura.expressions.dialects import DIALECTS, Dialect, DialectName, get_dialect

if TYPE_CHECKING:
    from mixtura.io.export.javascript import scoring_javascript
    from mixtura.io.export.onnx_scoring import OPSET, scoring_onnx
    from mixtura.io.export.scorer import ColumnScale, DiscretePart, Scorer, scorer_of_mixture
    from mixtura.io.export.spss_syntax import scoring_spss
    from mixtura.io.export.sql import scoring_sql

__all__ = [
    "DIALECTS",
    "OPSET",
    "ColumnScale",
    "Dialect",
    "DialectName",
    "DiscretePart",
    "Scorer",
    "get_dialect",
    "scorer_of_mixture",
    "scoring_javascript",
    "scoring_onnx",
    "scoring_spss",
    "scoring_sql",
]

if not TYPE_CHECKING:  # a type checker that saw __getattr__ would take every name for one
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "javascript": "scoring_javascript",
            "onnx_scoring": "OPSET scoring_onnx",
            "scorer": "ColumnScale DiscretePart Scorer scorer_of_mixture",
            "spss_syntax": "scoring_spss",
            "sql": "scoring_sql",
        },
    )
