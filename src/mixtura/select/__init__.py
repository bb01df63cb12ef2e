"""Which mixture, and how sure: criteria, the search, tests, standard errors, and components merged into clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixtura._lazy import lazy_names

if TYPE_CHECKING:
    from mixtura.select.columns.column_groups import ColumnGroup
    from mixtura.select.columns.column_roles import ColumnRole, ColumnSelection, Role
    from mixtura.select.columns.select_columns import select_columns
    from mixtura.select.combine import Merge, Merging, Pair, merge_components
    from mixtura.select.inference.bootstrap_lrt import BootstrapTest, LikelihoodRatio, bootstrap_lrt
    from mixtura.select.inference.bootstrap_parameters import (
        BootstrapParameters,
        Parameters,
        bootstrap_parameters,
    )
    from mixtura.select.inference.cross_validate import cross_validate
    from mixtura.select.inference.match_components import match_components
    from mixtura.select.model_search.candidate import Candidate, OnCandidate
    from mixtura.select.model_search.ranking import SearchResult
    from mixtura.select.model_search.search import search
    from mixtura.select.scores.criteria import CRITERIA, FIT_CRITERIA, aic, aicc, bic, caic, icl, mmdl, nec
    from mixtura.select.scores.folds import FoldFit, FoldScores, OnFold, held_out_scores
    from mixtura.select.scores.one_standard_error import CrossValidated, CrossValidation

__all__ = [
    "CRITERIA",
    "FIT_CRITERIA",
    "BootstrapParameters",
    "BootstrapTest",
    "Candidate",
    "ColumnGroup",
    "ColumnRole",
    "ColumnSelection",
    "CrossValidated",
    "CrossValidation",
    "FoldFit",
    "FoldScores",
    "LikelihoodRatio",
    "Merge",
    "Merging",
    "OnCandidate",
    "OnFold",
    "Pair",
    "Parameters",
    "Role",
    "SearchResult",
    "aic",
    "aicc",
    "bic",
    "bootstrap_lrt",
    "bootstrap_parameters",
    "caic",
    "cross_validate",
    "held_out_scores",
    "icl",
    "match_components",
    "merge_components",
    "mmdl",
    "nec",
    "search",
    "select_columns",
]

if not TYPE_CHECKING:  # a type checker that saw __getattr__ would take every name for one
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "columns.column_groups": "ColumnGroup",
            "columns.column_roles": "ColumnRole ColumnSelection Role",
            "columns.select_columns": "select_columns",
            "combine": "Merge Merging Pair merge_components",
            "inference.bootstrap_lrt": "BootstrapTest LikelihoodRatio bootstrap_lrt",
            "inference.bootstrap_parameters": "BootstrapParameters Parameters bootstrap_parameters",
            "inference.cross_validate": "cross_validate",
            "inference.match_components": "match_components",
            "model_search.candidate": "Candidate OnCandidate",
            "model_search.ranking": "SearchResult",
            "model_search.search": "search",
            "scores.criteria": "CRITERIA FIT_CRITERIA aic aicc bic caic icl mmdl nec",
            "scores.folds": "FoldFit FoldScores OnFold held_out_scores",
            "scores.one_standard_error": "CrossValidated CrossValidation",
        },
    )
