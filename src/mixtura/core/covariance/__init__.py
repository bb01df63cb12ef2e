"""Covariance families: one file per family; this is the only place that knows their names."""

from mixtura.core.covariance.base import CovarianceFamily, Factors, NotPositiveDefiniteError
from mixtura.core.covariance.diag import Diag
from mixtura.core.covariance.full import Full
from mixtura.core.covariance.spherical import Spherical
from mixtura.core.covariance.tied import Tied
from mixtura.exceptions import ParameterError

__all__ = ["FAMILIES", "CovarianceFamily", "Factors", "NotPositiveDefiniteError", "get_family"]

FAMILIES: dict[str, CovarianceFamily] = {
    family.name: family for family in (Full(), Tied(), Diag(), Spherical())
}
"""Every family by the name that ``covariance_type`` uses."""


def get_family(covariance_type: str) -> CovarianceFamily:
    """Return a family by name; raise `ParameterError` naming the known ones."""
    try:
        return FAMILIES[covariance_type]
    except (KeyError, TypeError):
        raise ParameterError(
            f"covariance_type={covariance_type!r} was given; it must be one of {sorted(FAMILIES)}. "
            "'full' lets every component have its own orientation."
        ) from None
