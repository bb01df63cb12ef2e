"""Steps with noise and t components that compiled code makes several of at a time: each is the step in Python."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mixtura.core.covariance import get_family
from mixtura.core.model import GaussianModel
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.parts.level_models import CATEGORICAL, NEGATIVE_BINOMIAL
from mixtura.core.parts.student import StudentTails
from mixtura.core.parts.volume import measure_background
from mixtura.core.protocols import MixedRows
from mixtura.engine import as_data
from mixtura.fit import AcceleratedEMStep, Problem
from mixtura.fit.steps.em import EMStep
from mixtura.fit.steps.warmup import WarmupEM
from mixtura.kernels.iterations.stretch import can_advance
from mixtura.select.priors import make_prior
from stretch_cases import NAMES, assert_same_ends, assert_survives, follow, made, overlapping

pytestmark = pytest.mark.skipif(not can_advance(), reason="the compiled core is not built")

KINDS: dict[str, tuple[bool, StudentTails | None]] = {
    "noise": (True, None),
    "t": (False, StudentTails()),
    "common t": (False, StudentTails(common=True)),
    "noise and t": (True, StudentTails()),
}
FEW = ["full", "tied", "diag", "spherical", "VEV"]


def problem_of(
    name: str,
    kind: str,
    n_components: int = 3,
    *,
    n_rows: int = 400,
    n_features: int = 2,
    gaps: float = 0.0,
    weighted: bool = False,
    float32: bool = False,
    levels: bool = False,
) -> Problem:
    """Overlapping groups with heavy tails, and rows that are spread widely."""
    rng = np.random.default_rng(7)
    rows: Any = overlapping(n_rows, n_features)
    rows = 50.0 + (rows - 50.0) / np.sqrt(rng.chisquare(5.0, size=n_rows) / 5.0)[:, None]
    rows[: n_rows // 20] += rng.normal(0.0, 8.0, size=(n_rows // 20, n_features))
    low = rows[:, 0] < np.median(rows[:, 0])
    rows[rng.uniform(size=rows.shape) < gaps] = np.nan
    rows = rows.astype(np.float32) if float32 else rows
    weight = rng.integers(1, 4, n_rows).astype(float) if weighted else None
    if levels:
        columns = (
            rng.binomial(2, np.where(low, 0.2, 0.6)),
            np.minimum(rng.negative_binomial(1.5, 0.4, n_rows), 20),
        )
        shares = tuple(
            np.bincount(one, minlength=one.max() + 1 + more) / n_rows for more, one in enumerate(columns)
        )
        discrete = DiscreteColumns((CATEGORICAL, NEGATIVE_BINOMIAL), shares)
        data = as_data(MixedRows(rows, discrete.numbered(np.column_stack(columns)), discrete), weight)
    else:
        data = as_data(rows, weight)
    has_noise, tails = KINDS[kind]
    prior, noise = (
        make_prior("floor", data.total, n_components),
        measure_background(data) if has_noise else None,
    )
    return Problem(data, GaussianModel(n_components, get_family(name), prior, data.discrete, noise, tails))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_step_is_the_step(name: str, kind: str) -> None:
    problem = problem_of(name, kind)
    assert len(follow(WarmupEM(problem, 1e-4), problem, 60)) >= 45


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FEW)
def test_extrapolations_are_those_of_the_step(name: str, kind: str) -> None:
    problem = problem_of(name, kind, 4, n_rows=500)
    assert 1 in follow(AcceleratedEMStep(problem, 1e-4), problem, 90)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "how",
    [
        {"gaps": 0.2},
        {"weighted": True},
        {"float32": True},
        {"levels": True},
        {"gaps": 0.2, "levels": True, "weighted": True},
    ],
    ids=["gaps", "weights", "float32", "levels", "all"],
)
@pytest.mark.parametrize("n_rows", [400, 4_500])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_those_of_a_pass(kind: str, n_rows: int, how: dict[str, Any]) -> None:
    for name in ("full", "diag"):
        problem = problem_of(name, kind, n_rows=n_rows, n_features=3, **how)
        assert len(follow(WarmupEM(problem, 1e-4), problem, 40)) >= 30


@pytest.mark.parametrize("make", [EMStep, AcceleratedEMStep, WarmupEM])
@pytest.mark.parametrize("kind", KINDS)
def test_runs_end_where_those_of_the_step_end(kind: str, make: Any) -> None:
    assert_same_ends(problem_of("full", kind, 2, n_rows=500, levels=kind == "noise"), make)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("levels", [False, True], ids=["numbers", "levels"])
def test_a_state_survives_the_way_to_the_step_and_back(kind: str, levels: bool) -> None:
    for name in FEW:
        assert_survives(problem_of(name, kind, n_rows=300, levels=levels))


def test_degrees_of_freedom_keep_to_their_bounds() -> None:
    problem = problem_of("full", "t", n_rows=300)
    for tails in (StudentTails(least=150.0), StudentTails(most=3.0), StudentTails(least=30.0, most=30.0)):
        bounded = replace(problem, model=replace(problem.model, tails=tails))
        assert follow(EMStep(bounded), bounded, 12)


def test_runs_on_samples_are_of_gaussian_components() -> None:
    for kind in KINDS:
        problem = problem_of("full", kind)
        assert not made(EMStep(problem), problem).stretch.finishes
