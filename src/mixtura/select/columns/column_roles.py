"""What the columns of a table are to its components, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from mixtura.core.mixture import Mixture
from mixtura.select.columns.stepwise import Chosen, evidence_of, is_kept
from mixtura.select.columns.subset_models import Subset, SubsetModels

__all__ = ["ColumnRole", "ColumnSelection", "Role", "describe_roles", "roles_of"]


class Role(Enum):
    """What a column is to the components."""

    BUILDING = "building"
    REDUNDANT = "redundant"
    NOISE = "noise"

    @property
    def explanation(self) -> str:
        return _EXPLANATIONS[self]


_EXPLANATIONS = {
    Role.BUILDING: "differs between the segments beyond what the other building columns explain",
    Role.REDUNDANT: "follows from building columns, and adds nothing to what they say of the segments",
    Role.NOISE: "is independent of the segments",
}


@dataclass(frozen=True, slots=True)
class ColumnRole:
    """One column, and the evidence for what it is.

    Parameters
    ----------
    name : str
    role : Role
    evidence : float
        ``BIC(it does not build) - BIC(it builds)``: positive where it builds. It is about twice the logarithm of the
        Bayes factor: above ten is very strong, below two hardly worth mention (Kass and Raftery 1995), so that a column
        that goes with others is left out from -2 on. NaN for the only continuous column that builds beside discrete
        ones.
    explained_by : tuple of str, default=()
        Of a redundant column: the building columns that it follows from.
    explained : float, default=0
        Share of its variance that these explain.
    stability : float or None, default=None
        Share of resamples in which it has the same role; None where none were drawn.
    """

    name: str
    role: Role
    evidence: float
    explained_by: tuple[str, ...] = ()
    explained: float = 0.0
    stability: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ColumnSelection:
    """Which columns build the components.

    Parameters
    ----------
    columns : tuple of ColumnRole
        In the order given. Where no column builds, all are noise.
    mixture : Mixture or None
        Of the building columns, in the rows that were looked at; None where no column builds.
    n_rows : int
        Rows that were looked at.
    n_bootstraps : int
        Resamples for the stability.
    """

    columns: tuple[ColumnRole, ...]
    mixture: Mixture | None
    n_rows: int
    n_bootstraps: int

    def _with_role(self, role: Role) -> tuple[str, ...]:
        return tuple(one.name for one in self.columns if one.role is role)

    @property
    def building(self) -> tuple[str, ...]:
        """Names of the columns that build the components."""
        return self._with_role(Role.BUILDING)

    @property
    def redundant(self) -> tuple[str, ...]:
        """Names of those that follow from them."""
        return self._with_role(Role.REDUNDANT)

    @property
    def noise(self) -> tuple[str, ...]:
        """Names of those that are independent of the components."""
        return self._with_role(Role.NOISE)

    @property
    def indices(self) -> tuple[int, ...]:
        """Numbers of the building columns, from 0."""
        return tuple(number for number, one in enumerate(self.columns) if one.role is Role.BUILDING)


def roles_of(models: SubsetModels, subset: Subset) -> list[Role]:
    """Return the role of each column, given those that build."""
    building = models.continuous(subset)

    def role(number: int) -> Role:
        if number in subset:
            return Role.BUILDING
        follows = bool(building) and models.alone.of_column(models.groups[number], building).predictors
        return Role.REDUNDANT if follows else Role.NOISE

    return [role(number) for number in range(len(models.groups))]


def describe_roles(models: SubsetModels, chosen: Chosen | None, n_bootstraps: int) -> tuple[ColumnRole, ...]:
    """Return all columns with their evidence, and how often resamples give them the same role."""
    if chosen is None:
        return tuple(ColumnRole(group.name, Role.NOISE, np.nan) for group in models.groups)
    subset = chosen.fit.subset
    building, roles = models.continuous(subset), roles_of(models, subset)
    stable = _stability(models, chosen, roles, n_bootstraps)
    names = {one.continuous: one.name for one in models.groups}
    found = []
    for number, (group, role) in enumerate(zip(models.groups, roles, strict=True)):
        evidence = float(chosen.evidence[number])
        own = models.alone.of_column(group, building) if role is Role.REDUNDANT else None
        found.append(
            ColumnRole(
                group.name,
                role,
                evidence if np.isfinite(evidence) else np.nan,
                () if own is None else tuple(names[d] for d in own.predictors),
                0.0 if own is None else own.explained,
                None if stable is None else stable[number],
            )
        )
    return tuple(found)


def _stability(
    models: SubsetModels, chosen: Chosen, roles: list[Role], n_bootstraps: int
) -> list[float] | None:
    """Return the share of resamples in which each column has its role; None where none could be fitted.

    In each resample the mixture is fitted again, from its components, and the evidence measured again.
    """
    shares, same, drawn = models.responsibilities(chosen.fit), np.zeros(len(roles)), 0
    n_rows = len(models.table)
    for number in range(n_bootstraps):
        rng = np.random.RandomState(np.random.SeedSequence((models.seed, number)).generate_state(1))
        counts = np.bincount(rng.randint(n_rows, size=n_rows), minlength=n_rows).astype(np.float64)
        resample = models.weighted(counts)
        fit = resample.again(chosen.fit.subset, shares[counts > 0], chosen.fit.mixture.covariance_type)
        if fit is None:
            continue
        evidence = evidence_of(resample, fit, by_sums=True)
        builds = frozenset(
            g
            for g, one in enumerate(evidence)
            if (is_kept(resample, fit.subset - {g}, fit.subset, one) if g in fit.subset else one > 0)
        )
        again = roles_of(resample, builds if resample.continuous(builds) else chosen.fit.subset)
        same += [one is other for one, other in zip(again, roles, strict=True)]
        drawn += 1
    return (same / drawn).tolist() if drawn else None
