"""Which mixture: criteria, and the search over covariance types and numbers of components."""

from mixtura.select.candidate import Candidate, OnCandidate
from mixtura.select.criteria import CRITERIA, aic, aicc, bic, caic, icl, nec
from mixtura.select.grid import search
from mixtura.select.ranking import SearchResult

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
