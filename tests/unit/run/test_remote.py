"""Passes that travel: rows in pieces give what they give in memory, however they are cut, and no rows travel along."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import pytest

from mixtura.core.accumulate import EStep
from mixtura.core.covariance import get_family
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.level_models import CATEGORICAL
from mixtura.core.prior import Ridge
from mixtura.core.protocols import Blocks, DiscreteColumns, MixedRows, Pass, RowState
from mixtura.data import JoinedRows, Packing, PartitionedBlocks
from mixtura.data.packing import PackedRows
from mixtura.engine import as_data, with_gaps
from mixtura.exceptions import DataError, MissingValuesError, ParameterError
from mixtura.fit import INITIALIZATIONS, AbsoluteChange, Problem, Settings, fit_mixture
from mixtura.fit.init import sample
from mixtura.fit.init.sample import draw_sample
from mixtura.fit.kmeans.lloyd import best_clustering, nearest
from mixtura.fit.kmeans.plusplus import NearestSeed, kmeans_plusplus
from mixtura.kernels import get_kernel
from mixtura.run import SerialRunner
from mixtura.run.remote.job import Job, step_of
from mixtura.run.remote.remote_runner import RemoteRunner, added
from mixtura.select.model_search import subsamples
from mixtura.select.model_search.subsamples import draw_subsamples

T = TypeVar("T")

N, D, K = 9000, 3, 3
ROWS = np.random.RandomState(0).standard_normal((N, D)) + 3.0 * np.random.RandomState(1).randint(
    3, size=(N, 1)
)
WEIGHTS = np.random.RandomState(2).exponential(size=N)
CUTS = {
    "one": [],
    "halves": [N // 2],
    "uneven, with empty ones and one of one row": [0, 1, 17, 17, 5000, N],
    "many": list(range(700, N, 700)),
}


class Elsewhere(RemoteRunner):
    """Workers that share nothing with this process: whatever they are given, or give back, is pickled."""

    def __init__(self) -> None:
        super().__init__(SerialRunner(), SerialRunner())
        self.sent: list[int] = []

    def reduce(self, blocks: Blocks, task: Pass[T], *states: RowState) -> T:
        source, step = step_of(blocks, task, states)
        sent = pickle.dumps(Job(self._serial, step))
        self.sent.append(len(sent))
        sums = [pickle.dumps(pickle.loads(sent)(*place)) for place in source.places()]
        return added([pickle.loads(one) for one in sums], task)


def cut(rows: Any, weights: Any = None, *, at: Sequence[int] = (), joined: int = 1) -> Data:
    """Rows in pieces, some of them joined."""
    packing = Packing(None, "float64")
    pieces = [[]] if weights is None else [np.split(weights, list(at))]
    parts = [packing(*part) for part in zip(np.split(rows, list(at)), *filter(None, pieces), strict=True)]
    groups = [JoinedRows.of(parts[first : first + joined]) for first in range(0, len(parts), joined)]
    blocks = PartitionedBlocks(groups, [one.found() for one in groups], packing)
    return Data(blocks, get_kernel(n_features=rows.shape[1]), Elsewhere())


def fitted(data: Data, init: str, family: str = "full") -> Any:
    problem = Problem(data, GaussianModel(K, get_family(family), Ridge(1e-6), data.discrete))
    settings = Settings(AbsoluteChange(1e-6), 60)
    return fit_mixture(
        problem, INITIALIZATIONS[init], settings, random_state=np.random.RandomState(3), n_init=2
    )


def close(left: Any, right: Any) -> None:
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("joined", [1, 2])
@pytest.mark.parametrize("at", CUTS.values(), ids=CUTS)
def test_a_fit_is_the_same_however_rows_are_cut(at: list[int], joined: int) -> None:
    here, there = (fitted(one, "kmeans") for one in (as_data(ROWS), cut(ROWS, at=at, joined=joined)))
    assert there.n_iter == here.n_iter
    close(there.mixture.means, here.mixture.means)
    close(there.mixture.covariances, here.mixture.covariances)
    close(there.lower_bound, here.lower_bound)


@pytest.mark.parametrize("init", ["k-means++", "random_from_data", "hierarchical", "small_em"])
def test_so_is_every_start(init: str) -> None:
    here, there = (fitted(one, init, "tied") for one in (as_data(ROWS), cut(ROWS, at=CUTS["many"])))
    close(there.mixture.means, here.mixture.means)
    close(there.mixture.covariances, here.mixture.covariances)


def test_weights_travel_with_their_rows() -> None:
    here, there = (
        fitted(one, "kmeans") for one in (as_data(ROWS, WEIGHTS), cut(ROWS, WEIGHTS, at=CUTS["many"]))
    )
    close(there.mixture.means, here.mixture.means)
    close(there.total_weight, here.total_weight)


def test_missing_values_are_integrated_out_there_too() -> None:
    rows = ROWS.copy()
    rows[np.random.RandomState(5).uniform(size=rows.shape) < 0.1] = np.nan
    rows[:700] = ROWS[:700]
    rows[1400] = np.nan
    weights = np.where(np.isnan(rows).all(axis=1), 0.0, 1.0)
    here, there = (fitted(one, "kmeans") for one in (as_data(rows, weights), cut(rows, at=CUTS["many"])))
    close(there.mixture.means, here.mixture.means)
    close(there.mixture.covariances, here.mixture.covariances)


def without_low(rows: Any) -> Any:
    """Rows whose first number is not seen where it is low, as at a point mass."""
    return np.where((np.arange(D) == 0) & (rows < 0.0), np.nan, rows)


@pytest.mark.parametrize("gaps", [False, True])
def test_levels_stay_beside_their_rows(gaps: bool) -> None:
    """A category of three levels, some missing, follows the groups; numbers may be taken away as rows are read."""
    rng = np.random.RandomState(6)
    levels = np.where(
        rng.uniform(size=N) < 0.2, rng.randint(-1, 3, size=N), np.rint(ROWS[:, 1] / 3.0).clip(0, 2)
    )
    shares = np.bincount(levels[levels >= 0].astype(int)) / (levels >= 0).sum()
    discrete = DiscreteColumns((CATEGORICAL,), (shares,))
    table = MixedRows(ROWS, discrete.numbered(levels[:, None].astype(np.intp)), discrete)
    cuts = [0, *CUTS["many"], N]
    parts = [PackedRows.of(table[a:b], WEIGHTS[a:b]) for a, b in pairwise(cuts)]
    packing = Packing(None, "float64")
    blocks = PartitionedBlocks(parts, [[one.found()] for one in parts], packing, discrete)
    both = as_data(table, WEIGHTS), Data(blocks, get_kernel(n_features=D), Elsewhere())
    here, there = (fitted(with_gaps(one, without_low) if gaps else one, "kmeans") for one in both)
    close(there.mixture.means, here.mixture.means)
    close(there.mixture.levels.logs, here.mixture.levels.logs)
    close(there.lower_bound, here.lower_bound)


def test_what_is_kept_per_row_is_made_where_the_rows_are() -> None:
    here, there = as_data(ROWS, WEIGHTS), cut(ROWS, WEIGHTS, at=CUTS["many"])
    centers = ROWS[:K]
    for left, right in zip(nearest(here, centers), nearest(there, centers), strict=True):
        close(right.gathered(), left.gathered())
    seeds = [kmeans_plusplus(one, 8, np.random.RandomState(0)).tolist() for one in (here, there)]
    assert seeds[0] == seeds[1]
    starts = [ROWS[:K], ROWS[100 : 100 + K]]
    left, right = (best_clustering(one, starts) for one in (here, there))
    assert (left.n_iter, left.labels.tolist()) == (right.n_iter, right.labels.tolist())
    close(right.inertia, left.inertia)


def test_factors_of_weights_may_be_states() -> None:
    mixture = Mixture.from_parameters(np.full(K, 1 / K), ROWS[:K], np.ones(K), "spherical")

    def weighted(data: Data) -> float:
        distances = nearest(data, ROWS[:1])[1]
        return data.weighted(distances).reduce(EStep(mixture.components(), data.kernel)).log_likelihood

    close(weighted(cut(ROWS, at=CUTS["many"])), weighted(as_data(ROWS)))


def test_passes_over_other_rows_are_not_taken_together() -> None:
    """Distances to one seed from rows as they are, to another from rows that are turned: each on its own rows."""

    def distances(data: Data) -> Any:
        state = data.state(np.float64, fill=np.inf)
        data.reduce(NearestSeed(ROWS[:1], data.kernel), state)
        data.mapped(np.negative).reduce(NearestSeed(ROWS[5:6], data.kernel), state)
        return state.gathered()

    close(distances(cut(ROWS, at=CUTS["many"])), distances(as_data(ROWS)))


def test_a_pass_closes_over_no_rows() -> None:
    """Bytes of a pass do not grow with the rows, nor with the passes before it."""
    few, many = cut(ROWS[:900], at=[300]), cut(np.tile(ROWS, (20, 1)), at=[10_000, 100_000])
    for data in (few, many):
        fitted(data, "kmeans")
    sent = [max(one.runner.sent) for one in (few, many)]  # type: ignore[attr-defined]
    assert max(sent) < 4000
    assert abs(sent[1] - sent[0]) < 500


def test_a_state_is_as_long_as_the_passes_that_matter() -> None:
    """Seeds are written one after the other, and each pass replays them as one."""
    data = cut(ROWS, at=[4000])
    kmeans_plusplus(data, 40, np.random.RandomState(0))
    assert max(data.runner.sent) < 4000  # type: ignore[attr-defined]


def test_samples_of_very_many_rows_are_drawn_by_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No list of all their numbers is made; the sample is that of the same rows in memory."""
    monkeypatch.setattr(sample, "_COUNTED", 5000)
    monkeypatch.setattr(subsamples, "_PERMUTED", 5000)
    weights = np.where(np.arange(N) % 3 == 0, 0.0, WEIGHTS)
    pair = as_data(ROWS, weights), cut(ROWS, weights, at=CUTS["many"])
    here, there = (draw_sample(one, np.random.RandomState(1), 400) for one in pair)
    assert here.numbers.tolist() == there.numbers.tolist()
    assert (here.n_rows, np.unique(here.numbers).size, (here.weights > 0).all()) == (400, 400, True)
    found = [draw_subsamples(one, [100, 300], 7) for one in pair]
    for size in (100, 300):
        rows = [one[size].rows(np.arange(size)) for one in found]
        np.testing.assert_array_equal(*rows)
        np.testing.assert_array_equal(rows[0][:100], found[0][100].rows(np.arange(100)))


def test_numbers_per_row_in_memory_are_refused() -> None:
    with pytest.raises(ParameterError, match="must lie where the rows are"):
        cut(ROWS).state_of(np.zeros(N))


def frame(**columns: Any) -> Any:
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(columns)


def test_columns_are_read_one_by_one() -> None:
    """Decimals keep their digits, and gaps in whole numbers are gaps, though all are in one frame."""
    from decimal import Decimal

    pandas = pytest.importorskip("pandas")
    part = frame(
        price=[Decimal("1.25"), None, Decimal("3.5")],
        count=pandas.array([1, pandas.NA, 9007199254740993], dtype="Int64"),
        share=pandas.array([0.5, pandas.NA, 1.5], dtype="Float64"),
        active=[True, False, True],
        text=["a", "b", "c"],
    )
    rows = Packing(("count", "price", "share", "active"), "float64").rows(part)
    expected = [[1, 1.25, 0.5, 1], [np.nan, np.nan, np.nan, 0], [9007199254740992, 3.5, 1.5, 1]]
    np.testing.assert_array_equal(rows, expected)
    assert rows.flags.c_contiguous


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["a", "b"], "Column 'x' must hold numbers; got could not convert"),
        (["2020-01-01"] * 2, "dates or times"),
    ],
)
def test_what_is_no_number_is_named(values: list[str], said: str) -> None:
    part = frame(x=values)
    if "dates" in said:
        part["x"] = part["x"].astype("datetime64[ns]")
    with pytest.raises(DataError, match=said):
        Packing(("x",), "float64").rows(part)


@pytest.mark.parametrize(
    ("spoil", "missing", "said"),
    [
        (
            lambda rows: rows.__setitem__((5000, 1), np.nan),
            "error",
            r"1 values .* 1 of 7 partitions; .* 5, row 5000 ",
        ),
        (
            lambda rows: rows.__setitem__((3, 0), np.inf),
            "fiml",
            r"infinite, in column 0, .* partition 2, row 3 ",
        ),
        (lambda rows: rows.__setitem__((slice(None), 2), np.nan), "fiml", "must have a value; got none in 2"),
    ],
)
def test_values_that_cannot_be_are_said_with_their_partition(
    spoil: Callable[[Any], None], missing: str, said: str
) -> None:
    rows = ROWS.copy()
    spoil(rows)
    data = cut(rows, at=[0, 1, 17, 17, 5000, 8000])
    with pytest.raises(MissingValuesError, match=said):
        data.blocks.require_sound(missing)  # type: ignore[attr-defined]


def test_weights_must_be_weights() -> None:
    data = cut(ROWS, np.where(np.arange(N) == 8000, -1.0, 1.0), at=[4000])
    with pytest.raises(DataError, match="`sample_weight` must be finite, not negative"):
        data.blocks.require_sound("error")  # type: ignore[attr-defined]


def test_a_collection_without_rows_is_refused() -> None:
    with pytest.raises(DataError, match="at least one row; got none in any partition"):
        cut(ROWS[:0], at=[0, 0])
