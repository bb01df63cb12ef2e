"""The role of each column, given those that build: its evidence, and how often resamples give it the same one."""

from __future__ import annotations

import numpy as np

from mixtura.select.columns.column_roles import ColumnRole, Role
from mixtura.select.columns.stepwise import Chosen, evidence_of, is_kept
from mixtura.select.columns.subset_models import Subset, SubsetModels

__all__ = ["describe_roles", "roles_of"]


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
