"""An ensemble of small mixtures, each learned from a few rows and columns, and the strangeness that they agree on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.distance import cdist

from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.anomaly.concentration import concentrated, varies
from mixtura.anomaly.normal_mixture import log_density, without_small
from mixtura.anomaly.rank_table import rounding
from mixtura.anomaly.standard_rows import PointMasses, StandardRows, point_masses
from mixtura.anomaly.tail_probability import SimulatedTail, exponential_tail
from mixtura.core.covariance import get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.engine import as_data
from mixtura.exceptions import MixturaError
from mixtura.fit import INITIALIZATIONS, AbsoluteChange, Problem, Settings, fit_mixture
from mixtura.select.priors import make_prior
from mixtura.validation import count_rows, without_empty_rows

__all__ = ["Ensemble", "EnsembleRecipe", "Member", "MemberDensity", "learn_ensemble", "make_recipe"]

_ROWS = 256
"""Rows that a member sees, as the trees of an isolation forest do (Liu, Ting and Zhou 2008)."""

_ROWS_PER_COLUMN = 10
"""That a covariance is learned from; of a column with a point mass, rows that have another value."""

_COLUMNS = 25
"""Columns that a member sees at most, ten rows for each: a covariance of more is not learned from so few rows."""

_ATTEMPTS = 3
"""Draws for a member until one can be fitted, as a factor of the number of members."""

_LEAST_VARIANCE = 1e-6
"""Of components at rows, in standard units: where most rows are repeated the nearest one may be equal."""
_TAIL = 0.01
_LEAST_SCALE = 1.0
"""Nats in which the tail of the log density of one Gaussian falls by a factor of e, far out."""
_MEMBERS, _NOVELTY_MEMBERS = 200, 20
_COMPONENTS, _NOVELTY_COMPONENTS = (1, 2, 3, 4, 5), (1, 2, 3, 5, 8, 12, 20)
_MIN_SHARE = 0.2
_MOST_TRIMMED = 0.5
"""Share of its rows that a member leaves out at most, beyond which anomalies were the rule."""

_SETTINGS = Settings(AbsoluteChange(1e-3), 100)


@dataclass(frozen=True, slots=True)
class EnsembleRecipe:
    """How an ensemble is learned.

    Parameters
    ----------
    n_members : int
    components : sequence of int
        Numbers of components, of which each member draws one.
    min_share : float
        Components of less weight are not normal; see `without_small`.
    all_normal : bool
        Whether no row is an anomaly.
    every_row : bool
        Whether half of the members have a component at every row that they see, where no value is missing.
    seed : int
    """

    n_members: int
    components: Sequence[int]
    min_share: float
    all_normal: bool
    every_row: bool
    seed: int

    def draw_size(self, n_rows: int, n_features: int, rng: np.random.RandomState) -> tuple[int, int, int]:
        """Return how many columns and rows a member sees, and its number of components; see `learn_ensemble`."""
        most, half = min(n_features, _COLUMNS), max(2, n_rows // 2)
        if self.all_normal:
            return most, half, self.components[rng.randint(len(self.components))]
        width = _log_uniform(most, rng)
        return width, min(_ROWS, half), self.components[_log_uniform(len(self.components), rng) - 1]


def make_recipe(
    all_normal: bool,
    seed: int,
    min_share: float = _MIN_SHARE,
    *,
    n_members: int | None = None,
    components: Sequence[int] | None = None,
) -> EnsembleRecipe:
    """Return how an ensemble is learned, with defaults for tables that may hold anomalies and for normal rows.

    Parameters
    ----------
    all_normal : bool
    seed : int
    min_share : float, default=0.2
        Not used where all rows are normal.
    n_members : int or None, default=None
        None for 200, and 20 for normal rows, of which each member sees more.
    components : sequence of int or None, default=None
        None for 1 to 5, and for normal rows 1 to 20 in half of the members, one at every row in the others.
    """
    return EnsembleRecipe(
        n_members or (_NOVELTY_MEMBERS if all_normal else _MEMBERS),
        components or (_NOVELTY_COMPONENTS if all_normal else _COMPONENTS),
        0.0 if all_normal else float(min_share),
        all_normal,
        all_normal and components is None,
        seed,
    )


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
    rng = np.random.RandomState(recipe.seed)
    if recipe.every_row and np.isnan(standard.sample).any():
        recipe = replace(recipe, every_row=False)
    masses = None if recipe.all_normal else point_masses(standard.sample, standard.weights)
    members = list[Member]()
    for _ in range(_ATTEMPTS * recipe.n_members):
        found = _draw_member(standard, masses, recipe, rng)
        if found is not None:
            members.append(found)
        if len(members) == recipe.n_members:
            break
    if not members:
        raise MixturaError("None of the mixtures of some rows and columns could be fitted. Give more rows.")
    return Ensemble(tuple(members))


def _draw_member(
    standard: StandardRows, masses: PointMasses | None, recipe: EnsembleRecipe, rng: np.random.RandomState
) -> Member | None:
    """Return a member of random rows and columns, or None where no mixture fits them."""
    sample, weights = standard.sample, standard.weights
    n_rows, n_features = sample.shape
    if recipe.every_row and rng.randint(2):
        return _at_every_row(sample, weights, rng.permutation(n_rows))
    width, n_seen, n_components = recipe.draw_size(n_rows, n_features, rng)
    columns = rng.choice(n_features, width, replace=False)
    numbers = rng.choice(n_rows, n_seen, replace=False)
    seed = rng.randint(2**31 - 1)
    columns = columns[varies(sample[np.ix_(numbers, columns)])]
    if not columns.size:
        return None
    chosen, of_columns = sample[np.ix_(numbers, columns)], masses and masses.of_columns(columns)
    continuous = np.ones(len(columns), dtype=bool)
    if of_columns is not None:
        chosen, _ = of_columns.split(chosen)
        continuous = np.isnan(of_columns.values) | _is_learned(chosen)
    mixture = None
    if continuous.any():
        chosen = np.ascontiguousarray(chosen[:, continuous])
        counted = without_empty_rows(None if weights is None else weights[numbers], chosen)
        mixture = _normal_mixture(chosen, counted, n_components, seed, recipe, rng)
        if mixture is None:
            return None
    return Member.learned(MemberDensity(columns, mixture, of_columns, continuous), numbers, sample)


def _is_learned(rows: FloatArray) -> BoolArray:
    """Return which columns have enough different values beside their point masses, which are NaN, (C,)."""
    known = np.count_nonzero(~np.isnan(rows), axis=0)
    return np.asarray(varies(rows) & (known >= _ROWS_PER_COLUMN))


def _normal_mixture(
    rows: FloatArray,
    weights: FloatArray | None,
    n_components: int,
    seed: int,
    recipe: EnsembleRecipe,
    rng: np.random.RandomState,
) -> Mixture | None:
    """Return the components that count as normal of a mixture of some rows, or None where none fits them."""
    mixture = _fit(rows, weights, n_components, seed)
    if mixture is None:
        return None
    if not recipe.all_normal:
        mixture = concentrated(mixture, rows, weights, rng.uniform(0.0, _MOST_TRIMMED))
    return without_small(mixture, recipe.min_share)


def _at_every_row(sample: FloatArray, weights: FloatArray | None, order: IntArray) -> Member:
    """Return a member with a component at each of half of the rows, in standard units.

    Their variance is what the other half is from the nearest of them: the mean squared distance by column, which is the
    M-step for rows held out with each in the component that it is nearest to.
    """
    seen, unseen = np.split(order, [(len(order) + 1) // 2])
    nearest = cdist(sample[unseen], sample[seen], "sqeuclidean").min(axis=1)
    weight = np.ones(len(sample)) if weights is None else weights
    variance = np.average(nearest, weights=weight[unseen]) / sample.shape[1]
    covariances = np.full((len(seen), sample.shape[1]), max(float(variance), _LEAST_VARIANCE))
    mixture = Mixture.from_parameters(weight[seen] / weight[seen].sum(), sample[seen], covariances, "diag")
    return Member.learned(MemberDensity.of_mixture(np.arange(sample.shape[1]), mixture), seen, sample)


def _log_uniform(most: int, rng: np.random.RandomState) -> int:
    """Return a whole number from 1 to `most`, small ones more often: its logarithm is uniform before rounding down."""
    return min(most, int(np.exp(rng.uniform(0.0, np.log(most + 1)))))


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
