"""Fits on a Dask cluster whose scheduler and workers are processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clusters import DaskProcesses, dask_processes
from mixtura import GaussianMixture, GaussianMixtureIC, KMeans, Mixture
from mixtura.core.covariance import get_family
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Ridge
from mixtura.engine import as_data
from mixtura.exceptions import ClusterError, DataError, MissingValuesError, ParameterError
from mixtura.fit import EMStep, Problem, begin, iterate
from mixtura.fit.checkpoint import load_state, save_state
from mixtura.fit.loop.stopping import AbsoluteChange

distributed = pytest.importorskip("distributed")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
pandas = pytest.importorskip("pandas")

N, D, K = 60_000, 4, 3
ROWS = np.random.RandomState(0).standard_normal((N, D)) + 2.5 * np.random.RandomState(1).randint(
    3, size=(N, 1)
)
FRAME = pandas.DataFrame(ROWS, columns=list("abcd"))


@pytest.fixture(scope="module")
def cluster() -> Iterator[DaskProcesses]:
    with dask_processes(2) as made:
        yield made


def close(left: Any, right: Any) -> None:
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9)


def same(left: Any, right: Any) -> None:
    assert left.n_iter_ == right.n_iter_
    for name in ("weights_", "means_", "covariances_", "lower_bound_"):
        close(getattr(left, name), getattr(right, name))


@pytest.fixture(scope="module")
def here() -> GaussianMixture:
    return GaussianMixture(K, random_state=0).fit(ROWS)


def unequal(rows: Any) -> Any:
    """Partitions of one row, of none, of few and of many, whose sizes nobody knows."""
    sizes = (1, 20_000, 17, N - 20_018)
    parts = da.from_array(rows, chunks=(sizes, (3, 1)))
    return da.concatenate([parts[parts[:, 0] > np.inf], parts[parts[:, 0] > -np.inf]])


COLLECTIONS: dict[str, Callable[[], Any]] = {
    "array": lambda: da.from_array(ROWS, chunks=(13_000, D)),
    "array of unknown, unequal chunks": lambda: unequal(ROWS),
    "frame": lambda: dd.from_pandas(FRAME, npartitions=5),
    "one partition": lambda: dd.from_pandas(FRAME, npartitions=1),
}


@pytest.mark.parametrize("made", COLLECTIONS.values(), ids=COLLECTIONS)
def test_a_fit_is_the_one_in_memory(cluster: DaskProcesses, here: Any, made: Callable[[], Any]) -> None:
    rows = made()
    there = GaussianMixture(K, random_state=0).fit(rows)
    same(there, here)
    assert there.n_features_in_ == D
    labels = there.predict(rows)
    assert isinstance(labels, da.Array)
    assert labels.compute().tolist() == here.predict(ROWS).tolist()
    close(there.predict_proba(rows).compute(), here.predict_proba(ROWS))
    close(there.score_samples(rows).compute(), here.score_samples(ROWS))


def test_scores_are_those_in_memory(cluster: DaskProcesses, here: Any) -> None:
    rows = dd.from_pandas(FRAME, npartitions=3)
    there = GaussianMixture(K, random_state=0).fit(rows)
    assert list(there.feature_names_in_) == list("abcd")
    close(there.score(rows), here.score(ROWS))
    close(there.bic(rows), here.bic(ROWS))
    close(there.aic(rows), here.aic(ROWS))
    with pytest.raises(DataError, match=r"must have the columns seen in fit, 'a', .*; got none named 'c'"):
        there.predict(rows[["a", "b"]])


def test_weights_and_float32(cluster: DaskProcesses) -> None:
    weights = np.random.RandomState(2).randint(3, size=N).astype(float)
    rows = ROWS.astype(np.float32)
    left = GaussianMixture(K, covariance_type="diag", random_state=0).fit(rows, sample_weight=weights)
    there = da.from_array(rows, chunks=(7000, D)), da.from_array(weights, chunks=7000)
    right = GaussianMixture(K, covariance_type="diag", random_state=0).fit(there[0], sample_weight=there[1])
    assert right.means_.dtype == np.float32
    np.testing.assert_allclose(right.means_, left.means_, rtol=1e-6)
    close(right.lower_bound_, left.lower_bound_)
    with pytest.raises(DataError, match="`sample_weight` must be a Dask array or column"):
        GaussianMixture(K).fit(there[0], sample_weight=weights)


def test_kmeans_is_the_one_in_memory(cluster: DaskProcesses) -> None:
    left, rows = KMeans(K, n_init=2, random_state=0).fit(ROWS), da.from_array(ROWS, chunks=(25_000, D))
    right = KMeans(K, n_init=2, random_state=0).fit(rows)
    close(right.cluster_centers_, left.cluster_centers_)
    close(right.inertia_, left.inertia_)
    assert right.labels_.compute().tolist() == left.labels_.tolist()
    close(right.score(rows), left.score(ROWS))
    close(right.transform(rows).compute(), left.transform(ROWS))


def test_a_search_finds_what_it_finds_in_memory(cluster: DaskProcesses) -> None:
    asked = {"n_components": [2, 3], "covariance_type": ["tied", "diag"], "random_state": 0}
    left = GaussianMixtureIC(**asked).fit(FRAME)
    right = GaussianMixtureIC(**asked).fit(dd.from_pandas(FRAME, npartitions=4))
    assert (right.covariance_type_, right.n_components_) == (left.covariance_type_, left.n_components_)
    close(right.criterion_, left.criterion_)
    close(right.means_, left.means_)
    with pytest.raises(ParameterError, match=r"`criterion` .* got 'cv'"):
        GaussianMixtureIC(criterion="cv").fit(dd.from_pandas(FRAME, npartitions=4))


def test_tables_as_they_are(cluster: DaskProcesses) -> None:
    """Whole numbers with gaps beside decimals: gaps are missing values, and named where there are to be none."""
    from decimal import Decimal

    table = FRAME[["a", "b"]].copy()
    table["b"] = [Decimal(round(value * 100)) / 100 for value in table["b"]]
    table["count"] = pandas.array(np.round(FRAME["c"] * 10), dtype="Int64")
    table.loc[40_000:40_009, "count"] = pandas.NA
    rows = table.astype({"b": float}).astype({"count": "Float64"}).to_numpy(dtype=float, na_value=np.nan)
    there = dd.from_pandas(table, npartitions=4)
    left = GaussianMixture(K, missing="fiml", random_state=0).fit(rows)
    same(GaussianMixture(K, missing="fiml", random_state=0).fit(there), left)
    with pytest.raises(
        MissingValuesError, match=r"10 values .* column 'count', in 1 of 4 partitions; .* row 40000"
    ):
        GaussianMixture(K).fit(there)


def loop(data: Any, observe: Any) -> Any:
    model = GaussianModel(K, get_family("full"), Ridge(1e-6))
    step = EMStep(Problem(data, model))
    start = GaussianMixture(K, means_init=ROWS[:K], max_iter=0, random_state=0)
    start._initialization  # noqa: B018

    covariances = np.repeat(np.eye(D)[None], K, axis=0)
    first = Mixture.from_parameters(np.full(K, 1 / K), ROWS[:K], covariances, "full")
    return iterate(begin(step, first), step, AbsoluteChange(1e-4), 40, observe=observe)


def test_a_fit_survives_the_death_of_a_worker(cluster: DaskProcesses) -> None:
    rows = da.from_array(ROWS, chunks=(10_000, D))
    killed: list[int] = []

    def kill(event: Any, state: Any) -> None:
        if not killed:
            killed.append(len(cluster.client.scheduler_info()["workers"]))
            cluster.kill_worker()

    there = loop(as_data(rows), kill)
    alone = loop(as_data(ROWS), lambda event, state: None)
    assert killed == [2]
    assert len(there.trace.events) == len(alone.trace.events) > 5
    close(there.model.means, alone.model.means)
    close(there.model.covariances, alone.model.covariances)
    cluster.add_worker()


@pytest.mark.parametrize("n_workers", [1, 4])
def test_it_is_the_same_for_any_number_of_workers(here: Any, n_workers: int) -> None:
    with dask_processes(n_workers):
        same(GaussianMixture(K, random_state=0).fit(da.from_array(ROWS, chunks=(10_000, D))), here)


def test_a_lost_scheduler_is_said_and_the_checkpoint_stays(tmp_path: Path) -> None:
    saved = tmp_path / "state.npz"

    def save_and_end(event: Any, state: Any) -> None:
        if len(seen) < 3:
            save_state(state, saved)
            seen.append(event)
        elif len(seen) == 3:
            seen.append(event)
            made.scheduler.kill()

    seen: list[Any] = []
    with dask_processes(1) as made:
        data = as_data(da.from_array(ROWS, chunks=(10_000, D)))
        with pytest.raises(ClusterError, match="lost or did not answer"):
            loop(data, save_and_end)
    step = EMStep(Problem(as_data(ROWS), GaussianModel(K, get_family("full"), Ridge(1e-6))))
    resumed = iterate(load_state(saved), step, AbsoluteChange(1e-4), 40)
    alone = loop(as_data(ROWS), lambda event, state: None)
    close(resumed.model.means, alone.model.means)


def test_a_cluster_without_workers_is_said_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixtura.run.remote.dask_cluster._PATIENCE", 1.0)
    with dask_processes(0), pytest.raises(ClusterError, match="did not answer within 1 s"):
        GaussianMixture(K).fit(da.from_array(ROWS, chunks=(10_000, D)))


def test_without_a_client_the_error_says_how_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_client() -> None:
        raise ValueError("No global client found and no address provided")

    monkeypatch.setattr(distributed, "get_client", no_client)
    with pytest.raises(ClusterError, match=r"Try `client = dask.distributed.Client\(\)`"):
        GaussianMixture(K).fit(da.from_array(ROWS, chunks=(10_000, D)))
