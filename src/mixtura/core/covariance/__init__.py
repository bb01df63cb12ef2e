"""Covariance families; this is the only place that knows their names.

scikit-learn's names stand beside those of model-based clustering, three letters for volume, shape and orientation,
each equal (E), variable (V) or none (I) (Banfield and Raftery 1993; Celeux and Govaert 1995):

=============  =====================  ==========  ====================================================
name           covariance             moments     covariance parameters
=============  =====================  ==========  ====================================================
EII            lambda I               pooled      1
spherical VII  lambda_k I             diagonal    K
EEI            lambda A               pooled      D
VEI            lambda_k A             diagonal    K + D - 1
EVI            lambda A_k             diagonal    1 + K (D - 1)
diag VVI       lambda_k A_k           diagonal    K D
tied EEE       lambda D A D'          pooled      D (D + 1) / 2
VEE            lambda_k D A D'        dense       K - 1 + D (D + 1) / 2
EVE            lambda D A_k D'        dense       1 + K (D - 1) + D (D - 1) / 2
VVE            lambda_k D A_k D'      dense       K D + D (D - 1) / 2
EEV            lambda D_k A D_k'      dense       D + K D (D - 1) / 2
VEV            lambda_k D_k A D_k'    dense       K + D - 1 + K D (D - 1) / 2
EVV            lambda D_k A_k D_k'    dense       1 + K (D - 1) + K D (D - 1) / 2
full VVV       lambda_k D_k A_k D_k'  dense       K D (D + 1) / 2
=============  =====================  ==========  ====================================================

In one column, E is one variance for all components and V is one for each.

Tables of many columns may have covariances of q factors (McNicholas and Murphy 2008), whose names end in their number,
such as ``UUU-2``. With ``L = D q - q (q - 1) / 2`` free loadings:

=======  ==========================  =======  =============
name     covariance                  moments  covariance parameters
=======  ==========================  =======  =============
UUU-q    Lambda_k Lambda_k' + Psi_k  dense    K L + K D
UUC-q    Lambda_k Lambda_k' + psi_k  dense    K L + K
UCC-q    Lambda_k Lambda_k' + psi    dense    K L + 1
CCU-q    Lambda Lambda' + Psi        pooled   L + D
CCC-q    Lambda Lambda' + psi        pooled   L + 1
=======  ==========================  =======  =============
"""

from collections.abc import Iterable
from typing import Any

from mixtura.core.covariance.base import Maps, Structure
from mixtura.core.covariance.factors import Factors, NotPositiveDefiniteError
from mixtura.core.covariance.families.diag import Diag
from mixtura.core.covariance.families.eev_vev import EEV, VEV
from mixtura.core.covariance.families.eii_eei import EEI, EII
from mixtura.core.covariance.families.eve_vve import EVE, VVE
from mixtura.core.covariance.families.evi import EVI
from mixtura.core.covariance.families.evv import EVV
from mixtura.core.covariance.families.factor import FACTOR_MODELS
from mixtura.core.covariance.families.full import Full
from mixtura.core.covariance.families.spherical import Spherical
from mixtura.core.covariance.families.tied import Tied
from mixtura.core.covariance.families.vee import VEE
from mixtura.core.covariance.families.vei import VEI
from mixtura.core.covariance.scatter import EMPTY
from mixtura.core.covariance.storage import STORAGES, Storage
from mixtura.exceptions import ParameterError

__all__ = [
    "EMPTY",
    "FACTOR_FAMILIES",
    "FAMILIES",
    "MCLUST_NAMES",
    "NAMES",
    "NAMES_SHOWN",
    "STORAGES",
    "Factors",
    "Maps",
    "NotPositiveDefiniteError",
    "Storage",
    "Structure",
    "choose_families",
    "count_parameters",
    "get_family",
    "is_factor",
    "mclust_name",
]

FAMILIES: dict[str, Structure] = {
    family.name: family
    for family in (
        Full(),
        Tied(),
        Diag(),
        Spherical(),
        EII(),
        EEI(),
        VEI(),
        EVI(),
        VEE(),
        EVE(),
        VVE(),
        EEV(),
        VEV(),
        EVV(),
    )
}
"""Every family by its own name."""

MCLUST_NAMES = (
    "EII",
    "VII",
    "EEI",
    "VEI",
    "EVI",
    "VVI",
    "EEE",
    "VEE",
    "EVE",
    "VVE",
    "EEV",
    "VEV",
    "EVV",
    "VVV",
)
"""The fourteen families in mclust's order."""

_SYNONYMS = {"VVV": "full", "EEE": "tied", "VVI": "diag", "VII": "spherical", "V": "full", "E": "tied"}

_LETTERS = {_SYNONYMS.get(letters, letters): letters for letters in MCLUST_NAMES}

_MOST_FACTORS = 10

FACTOR_FAMILIES: dict[str, Structure] = {
    family.name: family
    for model in FACTOR_MODELS.values()
    for q in range(1, _MOST_FACTORS + 1)
    for family in (model(q),)
}
"""Covariances of one to ten factors, by name."""

NAMES = (*FAMILIES, *_SYNONYMS, *FACTOR_FAMILIES)
"""Everything that ``covariance_type`` may be."""

NAMES_SHOWN = f"one of {sorted({*FAMILIES, *_SYNONYMS})}, or of 1 to {_MOST_FACTORS} factors, such as 'UUU-2'"
"""The same in the words of an error."""


def get_family(covariance_type: str) -> Structure:
    """Return a family by name; raise `ParameterError` naming the known ones."""
    try:
        name = _SYNONYMS.get(covariance_type, covariance_type)
        return FACTOR_FAMILIES[name] if name in FACTOR_FAMILIES else FAMILIES[name]
    except (KeyError, TypeError):
        raise ParameterError(
            f"`covariance_type` must be {NAMES_SHOWN}; got {covariance_type!r}. Try 'full', which lets every component "
            "have its own orientation."
        ) from None


def is_factor(covariance_type: str) -> bool:
    """Return whether a name is of covariances of few factors."""
    return covariance_type in FACTOR_FAMILIES


def count_parameters(covariance_type: str, n_components: int, n_features: int) -> int:
    """Return the free parameters of a mixture: ``K - 1`` weights, ``K D`` means, and those of the covariances.

    Examples
    --------
    >>> from mixtura.core.covariance import count_parameters
    >>> count_parameters("full", 2, 3)
    19
    """
    covariances = get_family(covariance_type).n_parameters(n_components, n_features)
    return n_components - 1 + n_components * n_features + covariances


def mclust_name(covariance_type: str) -> str:
    """Return a family's three letters; raise `ParameterError` naming the known ones. Those of factors have their own.

    Examples
    --------
    >>> from mixtura.core.covariance import mclust_name
    >>> mclust_name("tied"), mclust_name("VEI")
    ('EEE', 'VEI')
    """
    name = get_family(covariance_type).name
    return name if is_factor(name) else _LETTERS[name]


def choose_families(covariance_types: Iterable[str] | str, n_features: int) -> list[str]:
    """Return the distinct families that some names stand for, by their own names, in the order given.

    Parameters
    ----------
    covariance_types : str or iterable of str
        Any of `NAMES`; ``"all"`` stands for all families, in mclust's order. In one column these are E and V, as all
        others equal one of the two.
    n_features : int

    Raises
    ------
    ParameterError
        A name is unknown, or there is none; or covariances have more factors than the columns determine, that is more
        than ``D + 1/2 - sqrt(2 D + 1/4)`` (Ledermann 1937).

    Examples
    --------
    >>> from mixtura.core.covariance import choose_families
    >>> choose_families(["VVV", "full", "EVE"], 3)
    ['full', 'EVE']
    >>> choose_families("all", 1)
    ['tied', 'full']
    """
    asked: Any = [covariance_types] if isinstance(covariance_types, str) else covariance_types
    given = list(asked) if isinstance(asked, Iterable) else []
    if not given:
        raise ParameterError(
            f"`covariance_types` must name at least one; got {covariance_types!r}. Leave it out to try four."
        )
    if n_features == 0:  # no covariances, which every family has
        return ["diag"]
    every = MCLUST_NAMES if n_features > 1 else ("E", "V")
    names = [name for one in given for name in (every if one == "all" else (one,))]
    found = list(dict.fromkeys(get_family(name).name for name in names))
    for name in found:
        if is_factor(name) and (n_features - _factors(name)) ** 2 < n_features + _factors(name):
            raise ParameterError(
                f"`covariance_types` has {name!r}, and {n_features} columns do not determine {_factors(name)} factors. "
                "Try fewer factors, or 'full'."
            )
    return found


def _factors(name: str) -> int:
    return int(name.rpartition("-")[2])
