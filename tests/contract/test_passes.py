"""What every pass must be: a value that pickles, gives the same sums after a round trip, and adds up by blocks."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

import mixtura
from mixtura.anomaly.ensemble import learn_ensemble
from mixtura.anomaly.judged_rows import JudgeRows, StableStrangeness
from mixtura.anomaly.member_draws import make_recipe
from mixtura.anomaly.standard_rows import StandardRows, standardize
from mixtura.core.accumulate import AccumulateAbout, AccumulateGiven, CountObserved, EStep, EStepOfSeveral
from mixtura.core.data import Data
from mixtura.core.evaluate import Evaluate, Rows, SmallestHashes, TotalWeight
from mixtura.core.mixture import Mixture
from mixtura.core.moments import DENSE, Moments
from mixtura.core.parts.known_labels import KnownLabels
from mixtura.core.parts.volume import Extent
from mixtura.core.protocols import Block, Pass
from mixtura.drift.drift_sums import Cuts, GatherDrift
from mixtura.engine import as_data
from mixtura.fit.counted_rows import CountRepeats, RowsOf
from mixtura.fit.evaluation import Scoring
from mixtura.fit.init.random import RandomShares, RowsPerBlock, SumsByRandomShares
from mixtura.fit.init.sample import PositiveWeight
from mixtura.fit.journal import RowsDigest
from mixtura.fit.kmeans.distances import Farthest, SquaredDistances
from mixtura.fit.kmeans.lloyd import AssignToNearest, CrossCounts, unit_spheres
from mixtura.fit.kmeans.plusplus import MassPerBlock, MassWithCandidates, NearestSeed, RowAtMass
from mixtura.run import ThreadRunner
from mixtura.run.remote.state_passes import Kept, Picked
from mixtura.segments.profiles.segment_statistics import MeansSummary, SizesSummary
from mixtura.segments.scan import FeedSummaries
from mixtura.segments.transforms.jacobian import SumOfJacobian
from mixtura.segments.transforms.scaling import Scaling

N, D, K = 5000, 2, 3
ROWS = np.random.RandomState(0).standard_normal((N, D)) + 4.0 * np.random.RandomState(1).randint(
    3, size=(N, 1)
)
WEIGHTS = np.random.RandomState(2).exponential(size=N)
MEANS = np.array([[0.0, 0.0], [4.0, 4.0], [8.0, 8.0]])
MIXTURE = Mixture.from_parameters(np.full(K, 1 / K), MEANS, np.array([1.0, 2.0, 3.0]), "spherical")
LABELS = np.arange(N) % K
DISTANCES = np.random.RandomState(3).uniform(size=N)

States = tuple[Any, ...]


def components(moments: Moments | None = None) -> Any:
    return MIXTURE.components(moments)


def random_shares(data: Data) -> SumsByRandomShares:
    rng = np.random.RandomState(0)
    generators = []
    for number in range(len(data.blocks)):
        generators.append(rng.get_state())
        rng.uniform(size=(data.blocks.block(number).n_rows, K))
    return SumsByRandomShares(tuple(generators), MEANS, DENSE, data.kernel)


@cache
def stable_strangeness() -> tuple[StandardRows, StableStrangeness]:
    standard = standardize(ROWS, None, 0)
    ensemble = learn_ensemble(standard, make_recipe(False, 0, n_members=3))
    return standard, StableStrangeness(
        ensemble, np.array([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5]]), np.array([1.0, 2.0])
    )


# Each with the values of the states that it is given.
PASSES: dict[type[Any], Callable[[Data], tuple[Any, States]]] = {
    EStep: lambda data: (EStep(components(), data.kernel), ()),
    EStepOfSeveral: lambda data: (EStepOfSeveral((components(), components()), data.kernel), ()),
    AccumulateGiven: lambda data: (AccumulateGiven(MEANS, DENSE, data.kernel), (LABELS,)),
    Evaluate: lambda data: (
        Evaluate(components(), data.kernel, ("labels", "log_density")),
        (np.zeros(N, dtype=np.intp), np.zeros(N)),
    ),
    Rows: lambda data: (Rows(np.array([4000, 3, 2500])), ()),
    SmallestHashes: lambda data: (SmallestHashes(10, 7), ()),
    TotalWeight: lambda data: (TotalWeight(), ()),
    RowsDigest: lambda data: (RowsDigest(), ()),
    Scoring: lambda data: (Scoring(components(), data.kernel), ()),
    AccumulateAbout: lambda data: (AccumulateAbout(components(), MEANS + 1.0, DENSE, data.kernel), ()),
    SumsByRandomShares: lambda data: (random_shares(data), ()),
    RandomShares: lambda data: (RandomShares(random_shares(data).generators), (np.zeros((N, K)),)),
    RowsPerBlock: lambda data: (RowsPerBlock(), ()),
    CountRepeats: lambda data: (CountRepeats(), ()),
    RowsOf: lambda data: (RowsOf(2), (LABELS,)),
    CrossCounts: lambda data: (CrossCounts(K), (LABELS, LABELS[::-1].copy())),
    Farthest: lambda data: (Farthest(4), (DISTANCES, LABELS)),
    Kept: lambda data: (Kept(), (DISTANCES,)),
    Picked: lambda data: (Picked(np.array([3, 2500, 4000])), (DISTANCES,)),
    Extent: lambda data: (Extent(), ()),
    CountObserved: lambda data: (CountObserved(K), (LABELS,)),
    PositiveWeight: lambda data: (PositiveWeight(), ()),
    KnownLabels: lambda data: (KnownLabels(slice(0, 2)), ()),
    AssignToNearest: lambda data: (AssignToNearest(unit_spheres(MEANS), data.kernel), (LABELS.copy(),)),
    SquaredDistances: lambda data: (SquaredDistances(), (DISTANCES.copy(),)),
    MassPerBlock: lambda data: (MassPerBlock(), (DISTANCES,)),
    NearestSeed: lambda data: (NearestSeed(MEANS[:1], data.kernel), (DISTANCES.copy(),)),
    MassWithCandidates: lambda data: (MassWithCandidates(MEANS, data.kernel), (DISTANCES,)),
    FeedSummaries: lambda data: (
        FeedSummaries(
            (SizesSummary(K), MeansSummary(K, D)),
            MIXTURE,
            Scaling(np.zeros(D), np.ones(D)),
            data.kernel,
            MIXTURE.components(),
            ("debt",),
        ),
        (DISTANCES,),
    ),
    SumOfJacobian: lambda data: (SumOfJacobian(Scaling(np.zeros(D), np.array([2.0, 3.0]))), ()),
    GatherDrift: lambda data: (
        GatherDrift(
            MIXTURE, components(), np.ones((K, D)), Cuts(np.array([-6.0, -4.0]), -7.0, -6.5), data.kernel
        ),
        (DISTANCES,),
    ),
    JudgeRows: lambda data: (JudgeRows(*stable_strangeness()), (np.zeros(N), np.zeros(N))),
    RowAtMass: lambda data: (
        RowAtMass(np.array([1, 0]), np.array([300.0, 3.0]), "left"),
        (DISTANCES,),
    ),
}


def passes_in_the_package() -> set[type[Any]]:
    """Every class that has what a pass has, wherever it is."""
    found = set()
    for module in pkgutil.walk_packages(mixtura.__path__, "mixtura."):
        if module.name.startswith(("mixtura.cli", "mixtura.__main__")) or "native" in module.name:
            continue
        for held in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(held) and held.__module__.startswith("mixtura.") and held is not Pass:
                named = all(callable(getattr(held, name, None)) for name in ("add", "work"))
                if named and "__call__" in dir(held) and not getattr(held, "_is_protocol", False):
                    found.add(held)
    return found


def plain(value: Any) -> Any:
    """Return a result as nested lists, to be compared to the last bit."""
    if dataclasses.is_dataclass(value):
        return [plain(getattr(value, one.name)) for one in dataclasses.fields(value)]
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if type(value).__module__.startswith("mixtura.segments"):
        return plain(list(vars(value).values()))
    return value.tolist() if isinstance(value, np.ndarray) else value


@pytest.fixture(params=PASSES, ids=lambda one: one.__name__)
def kind(request: pytest.FixtureRequest) -> type[Any]:
    return request.param  # type: ignore[no-any-return]


def result_of(task: Pass[Any], states: States, data: Data) -> tuple[Any, list[Any]]:
    held = [data.state_of(values.copy()) for values in states]
    return plain(data.reduce(task, *held)), [state.gathered().tolist() for state in held]


def test_every_pass_of_the_package_is_tested_here() -> None:
    assert passes_in_the_package() == set(PASSES)


def test_a_pass_is_frozen(kind: type[Any]) -> None:
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]


def test_it_gives_the_same_after_a_round_trip(kind: type[Any]) -> None:
    data = as_data(ROWS, WEIGHTS)
    task, states = PASSES[kind](data)
    other = pickle.loads(pickle.dumps(task))
    assert type(other) is kind
    assert result_of(other, states, data) == result_of(task, states, data)


def test_so_does_the_data_it_is_made_of(kind: type[Any]) -> None:
    data = as_data(ROWS, WEIGHTS)
    task, states = PASSES[kind](data)
    other = pickle.loads(pickle.dumps(data))
    assert result_of(task, states, other) == result_of(task, states, data)


def test_it_is_the_same_on_threads(kind: type[Any]) -> None:
    alone = as_data(ROWS, WEIGHTS).alone()
    task, states = PASSES[kind](alone)

    class Busy:
        """The pass, said to be so much work that threads share it."""

        add = staticmethod(task.add)

        def __call__(self, block: Block, *held: Any) -> Any:
            return task(block, *held)

        def work(self, blocks: Any) -> float:
            return float("inf")

    shared = dataclasses.replace(alone, runner=ThreadRunner(3))
    assert result_of(Busy(), states, shared) == result_of(task, states, alone)


def test_it_says_how_much_work_it_is(kind: type[Any]) -> None:
    data = as_data(ROWS, WEIGHTS)
    assert PASSES[kind](data)[0].work(data.blocks) > 0


def test_it_adds_from_the_left(kind: type[Any]) -> None:
    """The sum of all blocks is that of the first, then the second, then the third."""
    data = as_data(ROWS, WEIGHTS)
    task, states = PASSES[kind](data)
    held = [data.state_of(values.copy()) for values in states]
    assert len(data.blocks) == 3
    parts = []
    for number in range(3):
        block = data.blocks.block(number)
        parts.append(task(block, *(state.of(block) for state in held)))
    total = task.add(task.add(parts[0], parts[1]), parts[2])
    assert plain(total) == result_of(task, states, data)[0]


def test_one_that_changes_states_says_so(kind: type[Any]) -> None:
    """Where rows are on a cluster a state is the passes that wrote it: see `mixtura.core.protocols.Pass`."""
    data = as_data(ROWS, WEIGHTS)
    task, states = PASSES[kind](data)
    written = [values.tolist() for values in states]
    changed = result_of(task, states, data)[1] != written
    assert not changed or callable(task.after)


def test_what_earlier_passes_left_may_be_left_out(kind: type[Any]) -> None:
    data = as_data(ROWS, WEIGHTS)
    task, states = PASSES[kind](data)
    earlier = {NearestSeed: NearestSeed(MEANS[1:2], data.kernel)}.get(kind, task)
    after = getattr(task, "after", lambda earlier: None)(earlier)
    if after is not None:
        _, first = result_of(earlier, states, data)
        in_turn = result_of(task, tuple(np.array(one) for one in first), data)[1]
        np.testing.assert_allclose(result_of(after, states, data)[1], in_turn, rtol=1e-12)
