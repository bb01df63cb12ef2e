"""How long is a pass over many columns, against one that finishes every density? One thread, by the processor's time.

A pass takes rows by the component that seems nearest, and does not finish densities of components that are negligible
for all rows at hand (``native/near/homes.hpp``). *All* finishes them, ``Components.negligible`` being 0; the sums of
both are asserted equal to 1e-10 before any time is told. Rows are blobs as in `benchmarks.iteration`; rows around one
point, of components that were fitted to them (with few rows and many columns they are apart nevertheless); rows of
components that all overlap, where nothing can be left out; the digits of scikit-learn; and the tables that are named,
their numeric columns standardized (``python -m benchmarks.many_columns TABLE.csv ...``).
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import process_time

import narwhals as nw
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Peer
from threadpoolctl import threadpool_limits

from benchmarks.iteration import Case, as_mixture, peer_step, start_of
from benchmarks.measure import FloatArray, make_rows, print_table
from mixtura import Mixture
from mixtura.core.accumulate import EStep
from mixtura.core.covariance import get_family
from mixtura.core.data import Data
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Ridge
from mixtura.data import ArrayBlocks
from mixtura.kernels import get_kernel
from mixtura.run import SerialRunner

__all__ = ["main"]

ROUNDS = 20


def fitted(rows: FloatArray, n_components: int, iterations: int = 10) -> Peer:
    """Return what scikit-learn has after some iterations."""
    peer = Peer(
        n_components,
        init_params="k-means++",
        max_iter=iterations,
        tol=0,
        reg_covar=0.01,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return peer.fit(rows)


def overlapping(n_rows: int, n_features: int, n_components: int) -> tuple[FloatArray, Peer]:
    """Return rows around one point, and components around it that are all as wide as the rows."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(n_rows, n_features))
    peer = fitted(rows[: 20 * n_features], 1)
    weights, means = (
        np.full(n_components, 1 / n_components),
        0.1 * rng.normal(size=(n_components, n_features)),
    )
    peer.n_components, peer.weights_, peer.means_ = n_components, weights, means
    peer.covariances_ = peer.precisions_cholesky_ = np.repeat(np.eye(n_features)[None], n_components, axis=0)
    return rows, peer


def tables(paths: list[str]) -> Iterator[tuple[str, FloatArray]]:
    yield "digits", load_digits().data
    for path in paths:
        frame = (
            nw.read_csv(path, backend="pyarrow")
            if path.endswith(".csv")
            else nw.read_parquet(path, backend="pyarrow")
        )
        numbers = frame.select(nw.selectors.numeric()).drop_nulls()
        yield Path(path).stem, numbers.to_numpy().astype(np.float64)


def cases(paths: list[str]) -> Iterator[tuple[str, FloatArray, Peer]]:
    for size in ((20_000, 50, 20), (5_000, 200, 10)):
        rows = make_rows(*size)
        yield "blobs", rows, start_of(Case(*size, "full", 1), rows)
    rng = np.random.default_rng(0)
    for n_rows, n_features, n_components in ((20_000, 50, 20), (5_000, 200, 10), (20_000, 20, 12)):
        rows = rng.normal(size=(n_rows, n_features))
        yield "around one point, fitted", rows, fitted(rows, n_components)
        yield "all overlap", *overlapping(n_rows, n_features, n_components)
    for name, table in tables(paths):
        varying = table[:, table.std(axis=0) > 0]
        rows = np.ascontiguousarray((varying - varying.mean(axis=0)) / varying.std(axis=0))
        for n_components in (3, 8, 20):
            yield name, rows, fitted(rows, n_components)


def sums_by(rows: FloatArray, mixture: Mixture) -> tuple[Data, list[EStep]]:
    """Return the data, and a pass that finishes all densities and one that need not; both have the same sums."""
    model = GaussianModel(mixture.n_components, get_family("full"), Ridge())
    data = Data(ArrayBlocks(rows), get_kernel("native"), SerialRunner())
    components = mixture.components(model.moments[0])
    passes = [EStep(replace(components, negligible=share), data.kernel) for share in (0.0, 1e-12)]
    whole, part = (data.reduce(one).sums for one in passes)
    assert np.allclose(part, whole, rtol=1e-10, atol=1e-10 * np.abs(whole[2:]).max())
    return data, passes


def run_case(name: str, rows: FloatArray, peer: Peer) -> list[str]:
    data, passes = sums_by(rows, as_mixture(peer))
    calls = [lambda one=one: data.reduce(one) for one in passes]
    calls.append(lambda: peer_step(peer, rows))
    best = [np.inf] * len(calls)
    for _ in range(ROUNDS):
        for at, call in enumerate(calls):
            begun = process_time()
            call()
            best[at] = min(best[at], process_time() - begun)
    whole, part, theirs = best
    size = f"{rows.shape[0]:,} x {rows.shape[1]} x {len(peer.weights_)}"
    ratios = f"{whole / part:.2f}", f"{theirs / part:.1f}"
    return [f"{size}, {name}", *(f"{1e3 * one:.2f}" for one in (theirs, whole, part)), *ratios]


def main(*paths: str) -> None:
    header = (
        "rows x columns x components",
        "scikit-learn ms",
        "all ms",
        "ms",
        "ratio to all",
        "to scikit-learn",
    )
    with threadpool_limits(1):
        table = [run_case(*case) for case in cases(list(paths))]
    print_table("One pass over many columns", header, table)


if __name__ == "__main__":
    main(*sys.argv[1:])
