"""The mathematics of a mixture: values and sums; no loops over rows, no threads, no files."""

from mixtura.core.mixture import Mixture
from mixtura.core.statistics import Statistics

__all__ = ["Mixture", "Statistics"]
