"""Steps with discrete columns that compiled code makes several of at a time: each is the step in Python."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from mixtura.core.covariance import get_family
from mixtura.core.data import Data
from mixtura.core.model import GaussianModel
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.parts.level_models import CATEGORICAL, KNOWN, NEGATIVE_BINOMIAL, POISSON, LevelModel
from mixtura.core.protocols import MixedRows
from mixtura.engine import as_data
from mixtura.fit import AcceleratedEMStep, Problem
from mixtura.fit.steps.em import EMStep
from mixtura.fit.steps.stretched import stretched
from mixtura.fit.steps.warmup import WarmupEM
from mixtura.kernels.iterations.stretch import can_advance
from mixtura.select.priors import make_prior
from stretch_cases import NAMES, assert_same_ends, assert_survives, first_mixture, follow, made, overlapping

pytestmark = pytest.mark.skipif(not can_advance(), reason="the compiled core is not built")

KINDS = {
    "categories": (CATEGORICAL, CATEGORICAL),
    "a count": (NEGATIVE_BINOMIAL,),
    "a Poisson count": (POISSON,),
    "all": (CATEGORICAL, NEGATIVE_BINOMIAL, POISSON, NEGATIVE_BINOMIAL),
}
FEW = ["full", "tied", "diag", "EEI", "VEV"]


def mixed(
    n_rows: int,
    models: tuple[LevelModel, ...],
    *,
    gaps: float = 0.0,
    weighted: bool = False,
    float32: bool = False,
    alone: bool = False,
    another: bool = False,
) -> Data:
    """Rows of overlapping groups with columns of levels that depend on them, some of which are missing.

    `another` is a table like the one that the columns were made for: it has numbers that had no row, and larger ones.
    """
    rng = np.random.default_rng(5)
    rows = overlapping(n_rows, 2)
    low = rows[:, 0] < np.median(rows[:, 0])
    columns = [
        rng.binomial(2, np.where(low, 0.2, 0.6))
        if one is CATEGORICAL
        else np.minimum(rng.negative_binomial(1.5, np.where(low, 0.6, 0.25)), 30)
        for one in models
    ]
    levels = np.column_stack(columns)
    largest = levels.max(axis=0)
    levels[rng.uniform(size=levels.shape) < 0.05] = -1
    rows[rng.uniform(size=rows.shape) < gaps] = np.nan
    weight = rng.integers(1, 4, n_rows).astype(float) if weighted else None
    counted = np.ones(n_rows) if weight is None else weight
    shares = []
    for column, most, one in zip(levels.T, largest, models, strict=True):
        held = np.bincount(
            column[column >= 0], counted[column >= 0], minlength=most + 1 + (one is not CATEGORICAL)
        )
        shares.append(held / held.sum())
    if another:
        for j, one in enumerate(models):
            if one is not CATEGORICAL:
                kept = np.arange(min(len(shares[j]), 12)) % 4 != 3
                shares[j] = np.append(np.where(kept, shares[j][: len(kept)], 0.0), 0.0)
                shares[j] /= shares[j].sum()
                levels[:, j] = np.minimum(levels[:, j], len(kept))
    discrete = DiscreteColumns(models, tuple(shares))
    rows = rows.astype(np.float32) if float32 else rows[:, :0].copy() if alone else rows
    return as_data(MixedRows(rows, discrete.numbered(levels), discrete), weight)


def problem_of(data: Data, name: str, n_components: int = 3) -> Problem:
    prior = make_prior("floor", data.total, n_components)
    model = GaussianModel(n_components, get_family(name), prior, data.discrete)
    return Problem(data, model)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_step_is_the_step(name: str, kind: str) -> None:
    problem = problem_of(mixed(400, KINDS[kind]), name)
    kinds = follow(WarmupEM(problem, 1e-4), problem, 60)
    assert len(kinds) >= 45


@pytest.mark.parametrize("name", FEW)
def test_extrapolations_are_those_of_the_step(name: str) -> None:
    problem = problem_of(mixed(500, KINDS["a count"]), name, 5)
    assert 1 in follow(AcceleratedEMStep(problem, 1e-4), problem, 80)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "how",
    [{"gaps": 0.2}, {"weighted": True}, {"float32": True}, {"gaps": 0.2, "weighted": True}],
    ids=["gaps", "weights", "float32", "gaps and weights"],
)
@pytest.mark.parametrize("n_rows", [400, 4_500])
@pytest.mark.parametrize("name", FEW)
def test_rows_are_those_of_a_pass(name: str, n_rows: int, how: dict[str, Any]) -> None:
    problem = problem_of(mixed(n_rows, KINDS["all"], **how), name)
    assert len(follow(WarmupEM(problem, 1e-4), problem, 40)) >= 30


@pytest.mark.parametrize("kind", ["a count", "a Poisson count", "all"])
@pytest.mark.parametrize("name", FEW)
def test_rows_may_have_numbers_that_no_row_had(name: str, kind: str) -> None:
    """As drawn samples have: levels that the columns do not know of, and the one that stands for all larger numbers."""
    data = mixed(500, KINDS[kind], another=True)
    levels = np.concatenate([data.blocks.block(i).levels for i in range(len(data.blocks))]).ravel()
    assert data.discrete is not None
    lasts = data.discrete.starts[1:][[one is not CATEGORICAL for one in KINDS[kind]]] - 1
    assert np.isin(lasts, levels).all()
    assert (data.discrete.pseudo_counts[np.unique(levels)[:-1]] == 0).sum() > len(lasts)
    problem = problem_of(data, name)
    ahead = made(EMStep(problem), problem)
    vector = ahead.init(first_mixture(problem)).film.after
    assert len(ahead.stretch.advance(vector, 5)[1]) >= 1
    assert len(follow(AcceleratedEMStep(problem, 1e-4), problem, 40)) >= 8


def test_what_lies_beyond_the_largest_number_is_the_rest() -> None:
    data = mixed(2_000, (NEGATIVE_BINOMIAL, POISSON), another=True)
    problem = problem_of(data, "full", 2)
    ahead = made(EMStep(problem), problem)
    _, frames, _ = ahead.stretch.advance(ahead.init(first_mixture(problem)).film.after, 1)
    table = ahead.states.places.model_of(frames[0, 3:])[6]
    assert data.discrete is not None
    for begin, end in pairwise(data.discrete.starts):
        assert np.exp(table[end - 1]).min() > 1e-6
        np.testing.assert_allclose(np.exp(table[begin:end]).sum(axis=0), 1.0, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_there_need_be_no_continuous_column(kind: str) -> None:
    problem = problem_of(mixed(500, KINDS[kind] * 2, alone=True), "full")
    for make in (EMStep, AcceleratedEMStep, WarmupEM):
        kinds = follow(make(problem, *([] if make is EMStep else [1e-4])), problem, 60)
        assert len(kinds) == 60
        assert make is EMStep or 1 in kinds


@pytest.mark.parametrize("make", [EMStep, AcceleratedEMStep, WarmupEM])
@pytest.mark.parametrize("kind", KINDS)
def test_runs_end_where_those_of_the_step_end(kind: str, make: Any) -> None:
    assert_same_ends(problem_of(mixed(500, KINDS[kind], gaps=0.1), "full"), make)


@pytest.mark.parametrize("name", FEW)
def test_a_state_survives_the_way_to_the_step_and_back(name: str) -> None:
    assert_survives(problem_of(mixed(300, KINDS["all"]), name))


def test_what_it_does_not_know_is_left_to_the_step() -> None:
    rows, labels = overlapping(200, 2), np.arange(200) % 2
    few = np.bincount(labels, minlength=3) / 200
    many = np.append(np.full(5_000, 2e-4), 0.0)
    others = (KNOWN, few[:2]), (NEGATIVE_BINOMIAL, few), (POISSON, many)
    for model, shares in others:
        discrete = DiscreteColumns((model,), (shares,))
        data = as_data(MixedRows(rows, discrete.numbered(labels[:, None]), discrete))
        problem = problem_of(data, "full", 2)
        step = EMStep(problem)
        assert stretched(step, problem, 0.0) is step
        other = replace(problem.model, discrete=None)
        assert stretched(step, Problem(data, other), 0.0) is step


def test_levels_that_do_not_fit_are_refused() -> None:
    problem = problem_of(mixed(200, KINDS["all"]), "full")
    ahead = made(EMStep(problem), problem)
    vector = ahead.init(first_mixture(problem)).film.after
    given = ahead.stretch.levels
    assert given is not None
    size = len(given.prior)
    others = [
        given._replace(of_rows=np.full_like(given.of_rows, size)),
        given._replace(of_rows=np.full_like(given.of_rows, -1)),
        given._replace(starts=given.starts + 1),
        given._replace(starts=given.starts[::-1].copy()),
        given._replace(kinds=given.kinds + 3),
        given._replace(prior=given.prior[:-1].copy()),
    ]
    for levels in others:
        with pytest.raises(ValueError, match="numbers of a table whose columns follow each other"):
            replace(ahead.stretch, levels=levels).advance(vector, 1)
    with pytest.raises(ValueError, match="type or shape"):
        replace(ahead.stretch, levels=given._replace(of_rows=given.of_rows[:-1].copy())).advance(vector, 1)
