"""Which mixture: criteria, and the search over covariance types and numbers of components."""

from mixtura.select.criteria import CRITERIA, aic, aicc, bic, caic, icl, nec
from mixtura.select.grid import Candidate, OnCandidate, SearchResult, search

__all__ = [
    "CRITERIA",
    "Candidate",
    "OnCandidate",
    "SearchResult",
    "aic",
    "aicc",
    "bic",
    "caic",
    "icl",
    "nec",
    "search",
]
