"""The sums of expectation-maximization as aggregates of a query."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.moments import DENSE, DIAGONAL, GATHERED, Moments
from mixtura.core.queries.responsibility_steps import log_mean, present_of, responsibility_steps
from mixtura.core.statistics import Statistics
from mixtura.expressions.aggregates import Aggregates, column_names, weight_of
from mixtura.expressions.expression import Expression, Name, Number, total
from mixtura.expressions.sql_text import Step
from mixtura.kernels import Components

__all__ = ["expectation_query", "given_query", "scoring_query", "weight_query"]


def expectation_query(
    components: Components,
    *,
    weighted: bool,
    means: FloatArray | None = None,
    moments: Moments | None = None,
) -> Aggregates[Statistics]:
    """Return the query of an E-step: sums weighted by the responsibilities that components give.

    Parameters
    ----------
    components : Components
    weighted : bool
    means : ndarray of shape (K, D), optional
        What the sums are about; by default the means of the components.
    moments : Moments, optional
        By default those that the components' layout gathers.
    """
    about = components.means if means is None else means
    moments = GATHERED[components.layout] if moments is None else moments
    numbers, columns = present_of(components), column_names(components.n_features)
    weight = weight_of(weighted=weighted)
    share = weight / Name("s")
    kept: dict[str, Expression] = {one.name: one for one in columns} | ({"w": weight} if weighted else {})
    gained = log_mean() * weight if weighted else log_mean()
    powers: dict[str, Expression] = {f"e{k + 1}": Name(f"e{k + 1}") for k in numbers}
    shared = Step(kept | powers | {"q": share, "g": gained})
    shares: dict[str, Expression] = {f"r{k + 1}": Name(f"e{k + 1}") * Name("q") for k in numbers}
    steps = (
        *responsibility_steps(components, weighted=weighted),
        shared,
        Step(kept | {"g": Name("g")} | shares),
    )
    carried: dict[str, Expression] = {"g": Name("g")} | ({"w": weight} if weighted else {})
    further, sums = _moments(about, moments, numbers, columns, carried)
    result = partial(_statistics, moments, about, numbers)
    return Aggregates((*steps, *further), (Name("g"), weight, *sums), result)


def given_query(means: FloatArray, moments: Moments, *, weighted: bool) -> Aggregates[Statistics]:
    """Return the query of the sums of all rows as one component, about a point (1, D)."""
    columns, weight = column_names(means.shape[1]), weight_of(weighted=weighted)
    kept: dict[str, Expression] = {one.name: one for one in columns} | ({"w": weight} if weighted else {})
    carried = {"w": weight} if weighted else {}
    further, sums = _moments(means, moments, [0], columns, carried)
    steps = Step(kept | {"r1": weight}), *further
    return Aggregates(steps, (Number(0.0), weight, *sums), partial(_statistics, moments, means, [0]))


def scoring_query(components: Components, *, weighted: bool) -> Aggregates[FloatArray]:
    """Return the query of log-likelihood and both entropies, (3,), see `mixtura.fit.evaluation.Scoring`."""
    numbers, weight = present_of(components), weight_of(weighted=weighted)
    # -sum_k r_k log r_k = log s - sum_k e_k (l_k - m) / s, and -log max_k r_k = log s.
    inside = total([Name(f"e{k + 1}") * (Name(f"l{k + 1}") - Name("m")) for k in numbers])
    columns: dict[str, Expression] = {"a": log_mean(), "c": log_mean() - Name("m"), "b": inside / Name("s")}
    columns |= {"w": weight} if weighted else {}
    steps = *responsibility_steps(components, weighted=weighted), Step(columns)
    return Aggregates(
        steps, (Name("a") * weight, (Name("c") - Name("b")) * weight, Name("c") * weight), _same
    )


def weight_query(*, weighted: bool) -> Aggregates[float]:
    """Return the query of the sum of the weights."""
    return Aggregates((), (weight_of(weighted=weighted),), lambda sums: float(sums[0]))


def _moments(
    about: FloatArray,
    moments: Moments,
    numbers: Sequence[int],
    columns: Sequence[Name],
    carried: dict[str, Expression],
) -> tuple[list[Step], list[Expression]]:
    """Return steps from responsibilities ``r`` on, and their sums: counts, first and second moments."""
    d = range(len(columns))
    shares: dict[str, Expression] = {f"r{k + 1}": Name(f"r{k + 1}") for k in numbers}
    moved: dict[str, Expression] = {
        f"f{k + 1}_{i + 1}": columns[i] - Number(float(about[k, i])) for k in numbers for i in d
    }
    weighted = {
        f"v{k + 1}_{i + 1}": Name(f"r{k + 1}") * Name(f"f{k + 1}_{i + 1}") for k in numbers for i in d
    }
    same = {name: Name(name) for name in moved} if moments in (DENSE, DIAGONAL) else {}
    first = [Name(f"v{k + 1}_{i + 1}") for k in numbers for i in d]
    second: list[Expression] = [
        Name(f"v{k + 1}_{i + 1}") * Name(f"f{k + 1}_{j + 1}")
        for k in numbers
        for i, j in _pairs(moments, len(d))
    ]
    steps = [Step(carried | shares | moved), Step(carried | shares | same | weighted)]
    return steps, [*(Name(name) for name in shares), *first, *second]


def _pairs(moments: Moments, n_features: int) -> list[tuple[int, int]]:
    """Return which products of columns second moments are of, in their order."""
    if moments is DENSE:
        return [(i, j) for i in range(n_features) for j in range(i + 1)]
    return [(i, i) for i in range(n_features)] if moments is DIAGONAL else []


def _statistics(moments: Moments, means: FloatArray, numbers: Sequence[int], sums: FloatArray) -> Statistics:
    """Return statistics of the sums of some of the components."""
    found, d = Statistics.zero(moments, means), means.shape[1]
    n, size = len(numbers), len(_pairs(moments, d))
    found.sums[:2] = sums[:2]
    counts, first, second = np.split(sums[2:], [n, n * (1 + d)])
    found.counts[list(numbers)] = counts
    found.first[list(numbers)] = first.reshape(n, d)
    if size:
        found.second[list(numbers)] = second.reshape(n, size)
    return found


def _same(sums: FloatArray) -> FloatArray:
    return sums
