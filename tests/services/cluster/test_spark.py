"""Fits in a Spark session of two threads, whose Python workers are processes of their own."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import threading
import time
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engines import spark_session
from mixtura import GaussianMixture, GaussianMixtureIC, KMeans
from mixtura.engine import as_data
from mixtura.exceptions import ClusterError, DataError, MissingValuesError

pandas = pytest.importorskip("pandas")
psutil = pytest.importorskip("psutil")
pytestmark = [
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.first,
]

N, K = 6000, 3
ROWS = np.random.RandomState(0).standard_normal((N, 3)) + 3.0 * np.random.RandomState(1).randint(
    3, size=(N, 1)
)
WEIGHTS = np.random.RandomState(2).randint(3, size=N)
TABLE = [(*row, int(weight)) for row, weight in zip(ROWS.tolist(), WEIGHTS.tolist(), strict=True)]


@pytest.fixture(scope="module")
def frame() -> Any:
    """Three partitions; rows stand in the order of the list."""
    session = spark_session()
    rows = session.sparkContext.parallelize(TABLE, 3)
    return session.createDataFrame(rows, "a double, b double, c double, weight int")


@pytest.fixture(scope="module")
def here() -> GaussianMixture:
    return GaussianMixture(K, random_state=0).fit(pandas.DataFrame(ROWS, columns=list("abc")))


def close(left: Any, right: Any) -> None:
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9)


def column(frame: Any, *names: str) -> Any:
    return np.squeeze([[row[name] for name in names] for row in frame.select(*names).collect()])


def test_a_fit_is_the_one_in_memory(frame: Any, here: GaussianMixture) -> None:
    there = GaussianMixture(K, random_state=0).fit(frame.drop("weight"))
    for name in ("weights_", "means_", "covariances_", "lower_bound_", "n_iter_"):
        close(getattr(there, name), getattr(here, name))
    assert list(there.feature_names_in_) == ["a", "b", "c"]
    rows = pandas.DataFrame(ROWS, columns=list("abc"))
    answers = there.predict(frame)  # of which it takes the columns seen in fit
    assert answers.columns == ["a", "b", "c", "weight", "prediction"]
    assert column(answers, "prediction").tolist() == here.predict(rows).tolist()
    close(column(there.score_samples(frame), "log_density"), here.score_samples(rows))
    close(
        column(there.predict_proba(frame), *(f"probability_{k}" for k in range(K))), here.predict_proba(rows)
    )
    close(there.bic(frame), here.bic(rows))
    with pytest.raises(DataError, match="must not have the column 'prediction'"):
        there.predict(answers)
    with pytest.raises(DataError, match="got none named 'c'"):
        there.predict(frame.drop("c"))


def test_weights_are_a_column(frame: Any) -> None:
    left = GaussianMixture(K, random_state=0).fit(ROWS, sample_weight=WEIGHTS)
    right = GaussianMixture(K, random_state=0).fit(frame, sample_weight="weight")
    close(right.means_, left.means_)
    with pytest.raises(DataError, match="`sample_weight` must be the name of a column"):
        GaussianMixture(K).fit(frame, sample_weight=WEIGHTS)


def test_kmeans_and_a_search(frame: Any) -> None:
    left = KMeans(K, random_state=0).fit(ROWS)
    right = KMeans(K, random_state=0).fit(frame.drop("weight"))
    close(right.cluster_centers_, left.cluster_centers_)
    close(right.inertia_, left.inertia_)
    assert column(right.labels_, "prediction").tolist() == left.labels_.tolist()
    asked = {"n_components": [2, 3], "covariance_type": ["tied"], "random_state": 0}
    found, there = (GaussianMixtureIC(**asked).fit(rows) for rows in (ROWS, frame.drop("weight")))
    close(there.criterion_, found.criterion_)


def test_tables_as_they_are() -> None:
    """Decimals, whole numbers with gaps, a partition without rows, and columns that cannot be learned from."""
    session = spark_session()
    rows = [
        (Decimal(f"{a:.4f}"), None if i % 9 == 0 else i % 5, "text") for i, (a, *_) in enumerate(ROWS[:500])
    ]
    there = session.createDataFrame(
        session.sparkContext.parallelize(rows, 2), "a decimal(9,4), n int, t string"
    )
    there = there.union(there.filter("a > 1000"))
    gaps = np.array([[float(a), np.nan if n is None else n] for a, n, _ in rows])
    left = GaussianMixture(2, missing="fiml", random_state=0).fit(gaps)
    right = GaussianMixture(2, missing="fiml", random_state=0).fit(there.drop("t"))
    close(right.means_, left.means_)
    with pytest.raises(MissingValuesError, match=r"56 values that are missing or infinite, in column 'n'"):
        GaussianMixture(2).fit(there.drop("t"))
    with pytest.raises(DataError, match="Column 't' must hold numbers; got Spark's string"):
        GaussianMixture(2).fit(there)


def python_workers() -> list[int]:
    """The processes that Spark's daemon has forked; one that ends while it is looked at is none."""
    parents = dict[int, int]()
    for one in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "pyspark.daemon" in one.cmdline():
                parents[one.pid] = one.ppid()
    return [pid for pid, parent in parents.items() if parent in parents]


def test_a_fit_survives_the_death_of_its_workers(frame: Any, here: GaussianMixture) -> None:
    """Some are killed while passes run; Spark gives their tasks to others, three times at most."""
    killed, ended = list[int](), threading.Event()

    def kill() -> None:
        while not ended.wait(0.3) and len(killed) < 3:
            for pid in python_workers()[:1]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        there = GaussianMixture(K, random_state=0).fit(frame.drop("weight"))
    finally:
        ended.set()
        killer.join()
    assert killed
    close(there.means_, here.means_)
    close(there.covariances_, here.covariances_)


def test_a_session_that_is_over_is_said(frame: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = as_data(frame.drop("weight"))

    def lost(*_: Any) -> Any:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(type(data.runner._frame), "mapInArrow", lost)  # type: ignore[attr-defined]
    with pytest.raises(ClusterError, match=r"could not run a pass: .*Connection refused"):
        _ = data.total


def kept_by_spark(session: Any) -> int:
    return int(session.sparkContext._jsc.getPersistentRDDs().size())


@pytest.mark.parametrize(("owner", "step"), [(socket.socket, "sendall"), (socket.SocketIO, "readinto")])
def test_rows_are_let_go_while_spark_answers(
    frame: Any, owner: type, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python collects objects while this thread waits for an answer of Spark; another call would take that answer."""
    session = frame.sparkSession
    deadline = time.monotonic() + 60
    while (before := kept_by_spark(session)) and time.monotonic() < deadline:  # of other tests
        gc.collect()
        time.sleep(0.05)
    in_a_cycle: list[Any] = [as_data(frame.drop("weight"))]
    in_a_cycle.append(in_a_cycle)
    _ = in_a_cycle[0].total
    assert kept_by_spark(session) == before + 1
    usual, collected = getattr(owner, step), list[int]()

    def and_collect(*given: Any) -> Any:
        found = usual(*given)
        if not collected and threading.current_thread() is threading.main_thread():
            collected.append(gc.collect())
        return found

    monkeypatch.setattr(owner, step, and_collect)
    del in_a_cycle
    assert frame.filter("a > 1000").count() == 0
    assert collected
    while kept_by_spark(session) > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert kept_by_spark(session) == before
