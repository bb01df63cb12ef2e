"""Steps with noise and t components that compiled code makes several of at a time: each is the step in Python."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mixtura.core.parts.student import StudentTails
from mixtura.fit import AcceleratedEMStep
from mixtura.fit.steps.em import EMStep
from mixtura.fit.steps.warmup import WarmupEM
from mixtura.kernels.iterations.stretch import can_advance
from stretch_cases import (
    NAMES,
    ROBUST,
    assert_same_ends,
    assert_survives,
    follow,
    made,
    robust_problem,
)

pytestmark = pytest.mark.skipif(not can_advance(), reason="the compiled core is not built")

KINDS = [kind for kind in ROBUST if kind != "neither"]
FEW = ["full", "tied", "diag", "spherical", "VEV"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_step_is_the_step(name: str, kind: str) -> None:
    problem = robust_problem(name, kind)
    assert len(follow(WarmupEM(problem, 1e-4), problem, 60)) >= 45


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FEW)
def test_extrapolations_are_those_of_the_step(name: str, kind: str) -> None:
    problem = robust_problem(name, kind, 4, n_rows=500)
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
        problem = robust_problem(name, kind, n_rows=n_rows, n_features=3, **how)
        assert len(follow(WarmupEM(problem, 1e-4), problem, 40)) >= 30


@pytest.mark.parametrize("make", [EMStep, AcceleratedEMStep, WarmupEM])
@pytest.mark.parametrize("kind", KINDS)
def test_runs_end_where_those_of_the_step_end(kind: str, make: Any) -> None:
    assert_same_ends(robust_problem("full", kind, 2, n_rows=500, levels=kind == "noise"), make)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("levels", [False, True], ids=["numbers", "levels"])
def test_a_state_survives_the_way_to_the_step_and_back(kind: str, levels: bool) -> None:
    for name in FEW:
        assert_survives(robust_problem(name, kind, n_rows=300, levels=levels))


def test_degrees_of_freedom_keep_to_their_bounds() -> None:
    problem = robust_problem("full", "t", n_rows=300)
    for tails in (StudentTails(least=150.0), StudentTails(most=3.0), StudentTails(least=30.0, most=30.0)):
        bounded = replace(problem, model=replace(problem.model, tails=tails))
        assert follow(EMStep(bounded), bounded, 12)


def test_runs_on_samples_are_of_gaussian_components() -> None:
    for kind in KINDS:
        problem = robust_problem("full", kind)
        assert not made(EMStep(problem), problem).stretch.finishes
