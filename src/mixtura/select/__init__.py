"""Which mixture, and how sure: criteria, the search, tests, standard errors, and components merged into clusters."""

from mixtura.select.bootstrap_test import BootstrapTest, LikelihoodRatio, bootstrap_lrt
from mixtura.select.candidate import Candidate, OnCandidate
from mixtura.select.criteria import CRITERIA, FIT_CRITERIA, aic, aicc, bic, caic, icl, nec
from mixtura.select.cross_validated import CrossValidated, CrossValidation
from mixtura.select.cross_validation import cross_validate
from mixtura.select.grid import search
from mixtura.select.held_out import FoldFit, FoldScores, OnFold, held_out_scores
from mixtura.select.merging import Merge, Merging, merge_components
from mixtura.select.ranking import SearchResult
from mixtura.select.uncertainty import BootstrapParameters, Parameters, bootstrap_parameters, match_components

__all__ = [
    "CRITERIA",
    "FIT_CRITERIA",
    "BootstrapParameters",
    "BootstrapTest",
    "Candidate",
    "CrossValidated",
    "CrossValidation",
    "FoldFit",
    "FoldScores",
    "LikelihoodRatio",
    "Merge",
    "Merging",
    "OnCandidate",
    "OnFold",
    "Parameters",
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
    "nec",
    "search",
]
