"""Which mixture: criteria, and the search over covariance types and numbers of components."""

from mixtura.select.criteria import aic, bic
from mixtura.select.search import CRITERIA, Candidate, OnCandidate, SearchResult, search

__all__ = ["CRITERIA", "Candidate", "OnCandidate", "SearchResult", "aic", "bic", "search"]
