"""Which mixture: criteria, and the search over covariance types and numbers of components."""

from mixtura.select.criteria import aic, bic

__all__ = ["aic", "bic"]
