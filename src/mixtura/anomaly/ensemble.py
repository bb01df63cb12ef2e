"""An ensemble of small mixtures, each learned from a few rows and columns, and the strangeness that they agree on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.anomaly.concentration import concentrated
from mixtura.anomaly.member_draws import Draw, DrawAtEveryRow, DrawOfMixture, EnsembleRecipe, MemberDraws
from mixtura.anomaly.normal_mixture import log_density, without_small
from mixtura.anomaly.rank_table import rounding
from mixtura.anomaly.standard_rows import PointMasses, StandardRows
from mixtura.anomaly.tail_probability import SimulatedTail, exponential_tail
from mixtura.core.covariance import get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.engine import as_data
from mixtura.exceptions import MixturaError
from mixtura.fit import INITIALIZATIONS, AbsoluteChange, Problem, Settings, fit_mixture
from mixtura.run import ALONE, Workers, map_tasks, start_workers
from mixtura.select.model_search.cost import workers_for
from mixtura.select.priors import make_prior
from mixtura.validation import count_rows, without_empty_rows

__all__ = ["Ensemble", "Member", "MemberDensity", "learn_ensemble"]

_ATTEMPTS = 3
"""Draws for a member until one can be fitted, as a factor of the number of members."""

_TOGETHER = 4
"""Members that a worker learns at a time: one takes a few milliseconds."""

_LEAST_VARIANCE = 1e-6
"""Of components at rows, in standard units: where most rows are repeated the nearest one may be equal."""
_TAIL = 0.01
_LEAST_SCALE = 1.0
"""Nats in which the tail of the log density of one Gaussian falls by a factor of e, far out."""
_SETTINGS = Settings(AbsoluteChange(1e-3), 100)


@dataclass(frozen=True, slots=True, eq=False)
class MemberDensity:
    """A density of some columns: a mixture, and for values at a point mass how many rows are at it.

    Parameters
    ----------
    columns : ndarray of int, length C
    mixture : Mixture or None
        Its components that count as normal; None where no column is continuous beside its point mass.
    masses : PointMasses or None
        Of the C columns.
    continuous : ndarray of bool, length C
        Which of the columns the mixture has.
    """

    columns: IntArray
    mixture: Mixture | None
    masses: PointMasses | None
    continuous: BoolArray

    @classmethod
    def of_mixture(cls, columns: IntArray, mixture: Mixture) -> MemberDensity:
        """Return the density of a mixture of columns without point masses."""
        return cls(columns, mixture, None, np.ones(len(columns), dtype=bool))

    def log_density(self, rows: FloatArray) -> FloatArray:
        """Return the log density of scaled rows (N, D), (N,), that can be compared whichever values are point masses.

        In the mixture a value at a point mass is as a missing one: it has the log density that is expected of others.
        """
        chosen, found = rows[:, self.columns], np.zeros(len(rows))
        if self.masses is not None:
            chosen, found = self.masses.split(chosen)
        if self.mixture is None:
            return found
        return found + log_density(self.mixture, np.ascontiguousarray(chosen[:, self.continuous]))


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A density of some columns, learned from some rows, and how low it is where.

    Parameters
    ----------
    density : MemberDensity
    rows : ndarray of int
        Which of the sampled rows it saw.
    tail : SimulatedTail
        Log densities of all sampled rows, and the tail beyond.
    """

    density: MemberDensity
    rows: IntArray
    tail: SimulatedTail

    @classmethod
    def learned(cls, density: MemberDensity, rows: IntArray, sample: FloatArray) -> Member:
        """Return the member whose density was learned from some of the sampled rows."""
        return cls(density, rows, _tail_of(np.sort(density.log_density(sample))))

    def strangeness(self, rows: FloatArray) -> FloatArray:
        """Return minus the log of the share of the sampled rows that are as strange as each of some rows, (N,)."""
        found = self.density.log_density(rows)
        return -self.tail.log_probability(found)

    def strangeness_among_others(self, rows: FloatArray) -> FloatArray:
        """Return the same for some of the sampled rows, (N,), each among all sampled rows but itself, as a new row is.

        The strangest of all could otherwise not be stranger than all, and a new row can.
        """
        found = self.density.log_density(rows)
        ordered, below = self.tail.ranks.values, self.tail.ranks.below(found)
        beyond = _tail_of(ordered[1:]).log_probability(found)
        lowest = found <= ordered[0] + rounding(ordered[0])
        return -np.where(lowest, beyond, np.log(np.maximum(below, 1) / ordered.size))


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """Members whose strangeness is averaged; see `mixtura.anomaly.judged_rows`.

    Parameters
    ----------
    members : tuple of Member
    """

    members: tuple[Member, ...]

    def each(self, rows: FloatArray) -> FloatArray:
        """Return the strangeness of scaled rows (N, D) to every member, (M, N)."""
        return np.array([member.strangeness(rows) for member in self.members])

    def out_of_bag(self, sample: FloatArray) -> FloatArray:
        """Return the mean strangeness of each sampled row to the members that did not see it, (n,).

        NaN for rows that all members saw.
        """
        total, count = np.zeros(len(sample)), np.zeros(len(sample))
        for member in self.members:
            unseen = self._unseen(member, len(sample))
            if not unseen.any():
                continue
            total[unseen] += member.strangeness_among_others(np.ascontiguousarray(sample[unseen]))
            count[unseen] += 1
        with np.errstate(invalid="ignore"):
            return total / count

    @staticmethod
    def _unseen(member: Member, n_rows: int) -> BoolArray:
        unseen = np.ones(n_rows, dtype=bool)
        unseen[member.rows] = False
        return unseen


def learn_ensemble(standard: StandardRows, recipe: EnsembleRecipe) -> Ensemble:
    """Learn an ensemble from a table.

    A few rows hold few anomalies, too few to form a component that passes for normal; a few columns keep those that say
    nothing from drowning the others (Aggarwal and Sathe 2017, chapters 3 and 5). How many columns and components are
    right is not known: each member draws its own, few columns as often as many (the logarithm of their number
    is uniform), and what the members agree on counts. Nor is the share of anomalies: each member draws one of at most a
    half, leaves out as many of its rows, those that it finds least likely, and is fitted again (`concentrated`). Values
    that more than half of the rows have are point masses (`PointMasses`).

    Where all rows are normal there is nothing to be hidden from a member, and what is left of a row's neighborhood in a
    few rows, columns and components is too little: each sees half of the rows, so that the other half can be judged
    by it, all columns up to 25, and any number of components as often as any other. Half of the members go to the end
    of that road: a component at every row they see, of one variance in all columns (`_at_every_row`). Normal rows of
    any shape are near others of their kind, also where no few Gaussians describe them.

    Parameters
    ----------
    standard : StandardRows
    recipe : EnsembleRecipe

    Raises
    ------
    MixturaError
        No member could be fitted.
    """
    draws, rng = MemberDraws.of(standard, recipe), np.random.RandomState(recipe.seed)
    workers = _workers(draws)
    members, n_left = list[Member](), _ATTEMPTS * recipe.n_members
    while len(members) < recipe.n_members and n_left:
        drawn = [draws.draw(rng) for _ in range(min(n_left, recipe.n_members - len(members)))]
        n_left -= len(drawn)
        members += _learned(draws, [one for one in drawn if one is not None], workers)
    if not members:
        raise MixturaError("None of the mixtures of some rows and columns could be fitted. Give more rows.")
    return Ensemble(tuple(members))


def _workers(draws: MemberDraws) -> Workers:
    """Return who learns the members: processes, where there is work for them, or this thread alone.

    Not threads: a pass of a few hundred rows is over before the interpreter has prepared the next one.
    """
    n_members = draws.recipe.n_members
    workers = workers_for(draws.seconds * n_members, n_members)
    if not workers.are_processes or workers.count == 1:
        return ALONE
    start_workers(_learn_some, workers.count)
    return workers


def _learned(draws: MemberDraws, drawn: Sequence[Draw], workers: Workers) -> list[Member]:
    """Return the members of those draws that a mixture fits, in their order; some are learned at a time."""
    size = max(1, min(_TOGETHER, len(drawn) // (8 * workers.count)))
    parts = [drawn[start : start + size] for start in range(0, len(drawn), size)]
    return [one for part in map_tasks(_learn_some, draws, parts, workers) for one in part if one is not None]


def _learn_some(draws: MemberDraws, drawn: Sequence[Draw]) -> list[Member | None]:
    return [
        _at_every_row(draws, one) if isinstance(one, DrawAtEveryRow) else _learn(draws, one) for one in drawn
    ]


def _learn(draws: MemberDraws, drawn: DrawOfMixture) -> Member | None:
    """Return a member of some rows and columns, or None where no mixture fits them."""
    rows, masses = draws.sample[np.ix_(drawn.rows, drawn.columns)], draws.masses_of(drawn.columns)
    if masses is not None:
        rows, _ = masses.split(rows)
    mixture = None
    if drawn.continuous.any():
        rows = np.ascontiguousarray(rows[:, drawn.continuous])
        weights = None if draws.weights is None else draws.weights[drawn.rows]
        mixture = _normal_mixture(rows, without_empty_rows(weights, rows), drawn, draws.recipe)
        if mixture is None:
            return None
    density = MemberDensity(drawn.columns, mixture, masses, drawn.continuous)
    return Member.learned(density, drawn.rows, draws.sample)


def _normal_mixture(
    rows: FloatArray, weights: FloatArray | None, drawn: DrawOfMixture, recipe: EnsembleRecipe
) -> Mixture | None:
    """Return the components that count as normal of a mixture of some rows, or None where none fits them."""
    mixture = _fit(rows, weights, drawn.n_components, drawn.seed)
    if mixture is None:
        return None
    if not recipe.all_normal:
        mixture = concentrated(mixture, rows, weights, drawn.trimmed)
    return without_small(mixture, recipe.min_share)


def _at_every_row(draws: MemberDraws, drawn: DrawAtEveryRow) -> Member:
    """Return a member with a component at each of half of the rows, in standard units.

    Their variance is what the other half is from the nearest of them: the mean squared distance by column, which is the
    M-step for rows held out with each in the component that it is nearest to.
    """
    sample, seen, unseen = draws.sample, drawn.rows, drawn.unseen
    nearest = cdist(sample[unseen], sample[seen], "sqeuclidean").min(axis=1)
    weight = np.ones(len(sample)) if draws.weights is None else draws.weights
    variance = np.average(nearest, weights=weight[unseen]) / sample.shape[1]
    covariances = np.full((len(seen), sample.shape[1]), max(float(variance), _LEAST_VARIANCE))
    mixture = Mixture.from_parameters(weight[seen] / weight[seen].sum(), sample[seen], covariances, "diag")
    return Member.learned(MemberDensity.of_mixture(np.arange(sample.shape[1]), mixture), seen, sample)


def _fit(rows: FloatArray, weights: FloatArray | None, n_components: int, seed: int) -> Mixture | None:
    n_counted = count_rows(rows, weights)
    if n_counted < 2:
        return None
    k = max(1, min(n_components, n_counted // 2))
    try:
        data = as_data(rows, weights).alone()
        problem = Problem(data, GaussianModel(k, get_family("full"), make_prior("floor", data.total, k)))
        rng = np.random.RandomState(seed)
        return fit_mixture(problem, INITIALIZATIONS["kmeans"], _SETTINGS, random_state=rng).mixture
    except MixturaError:
        return None


def _tail_of(ordered: FloatArray) -> SimulatedTail:
    """Return ranks among log densities in ascending order, with an exponential tail beyond the strangest of them."""
    scale = max(exponential_tail(-ordered, _TAIL).scale, _LEAST_SCALE)
    return SimulatedTail.of_ranks(ordered, scale)
