"""How often drift raises false alarms, and how often it finds changes, beside evidently on the same draws.

``python -m benchmarks.drift [--evidently PYTHON] [--large]`` prints, by the number of rows of both times, the share of
draws with a verdict other than "keep", and the share in which what changed is named. PYTHON is an interpreter that has
evidently (version 0.7.23 needs ``pip install evidently "pandas<3"``); without it its columns stay empty. ``--large``
adds 300,000 rows.

Beside a shift of one column stands what tests can reach at all that are given what ours must learn, at a level of 5 %:
who is in which segment, covariances, and the size of the shift. The most powerful test against known alternatives is
that of the likelihood ratio, averaged over them (Neyman and Pearson 1933): of both signs in the column that moved; of
the ten columns of the segment that moved; of the ten columns of all three.

The rows: three segments (40, 35 and 25 %) in ten columns, correlated by 0.3 with the next one within a segment. The
model is `GaussianMixture(3)` learned from the rows of the first time. Seeds are 0, 1, 2, ... of each scenario;
evidently is asked of the first 20, and of the first 3 with 300,000 rows.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.measure import FloatArray, print_table
from mixtura import GaussianMixture, Mixture
from mixtura.drift import MixtureDrift, mixture_drift, reference_of
from mixtura.engine import as_data

__all__ = ["SCENARIOS", "Scenario", "drawn", "main", "oracle_powers", "run"]

_D, _WEIGHTS = 10, (0.40, 0.35, 0.25)
_SEEDS = {"nothing": 200}
_OTHER_SEEDS = 100
_LARGE, _LARGE_SEEDS = 300_000, 20
_EVIDENTLY_SEEDS, _LARGE_EVIDENTLY_SEEDS = 20, 3
_ORACLE_DRAWS = 20_000

_EVIDENTLY = """
import json, sys
import numpy as np, pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset
answers = []
for path in sys.argv[1:]:
    held = np.load(path)
    before, after = (pd.DataFrame(held[name]).rename(columns=str) for name in ("before", "after"))
    found = Report([DataDriftPreset()]).run(after, before).dict()
    values = [one["value"] for one in found["metrics"]]
    counts = next(one for one in values if isinstance(one, dict) and "share" in one)
    answers.append([counts["share"] >= 0.5, counts["count"] > 0])
print("ANSWERS", json.dumps(answers))
"""


@dataclass(frozen=True)
class Scenario:
    """Rows of a second time, and what counts as naming the change."""

    later: Mixture
    named: Callable[[MixtureDrift], bool]
    shift: tuple[int, float] | None = None


def _covariance() -> FloatArray:
    return np.asarray(0.3 ** np.abs(np.subtract.outer(np.arange(_D), np.arange(_D))))


def _mixture(
    shift: tuple[int, float] | None = None,
    weights: tuple[float, ...] = _WEIGHTS,
    correlation: float = 0.3,
    new: float = 0.0,
) -> Mixture:
    means = 1.5 * np.random.RandomState(0).standard_normal((3, _D))
    if shift is not None:
        means[shift[0], 0] += shift[1]
    covariances = np.repeat(_covariance()[None], 3, axis=0)
    covariances[0, 0, 5] = covariances[0, 5, 0] = covariances[0, 0, 5] + correlation - 0.3
    if new:
        far = means.mean(axis=0) + 4.0 * np.eye(_D)[2] - 4.0 * np.eye(_D)[7]
        means, covariances = np.vstack([means, far]), np.concatenate([covariances, 0.5 * np.eye(_D)[None]])
        weights = (*((1 - new) * one for one in weights), new)
    return Mixture.from_parameters(weights, means, covariances)


def _is_named(family: str, columns: tuple[int, ...]) -> Callable[[MixtureDrift], bool]:
    def named(found: MixtureDrift) -> bool:
        return any(one.is_found and one.columns == columns for one in found.comparison.of_family(family))

    return named


_CENTER = _is_named("center", (0,))


def _shifted(segment: int, size: float) -> Scenario:
    return Scenario(_mixture((segment, size)), _CENTER, (segment, size))


SCENARIOS = {
    "nothing": Scenario(_mixture(), lambda _: False),
    "a shift of 0.2 sd, segment of 40 %": _shifted(0, 0.2),
    "a shift of 0.2 sd, segment of 35 %": _shifted(1, 0.2),
    "a shift of 0.2 sd, segment of 25 %": _shifted(2, 0.2),
    "shares 34, 35, 31 %": Scenario(_mixture(weights=(0.34, 0.35, 0.31)), lambda found: found.verdict.mix),
    "a new segment of 3 %": Scenario(_mixture(new=0.03), lambda found: found.verdict.new_kind),
    "a correlation of 0.3 more": Scenario(_mixture(correlation=0.6), _is_named("correlation", (0, 5))),
}


def drawn(name: str, n_rows: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return the rows of both times, in random order."""
    number = list(SCENARIOS).index(name)
    rng = np.random.RandomState([seed, number, n_rows])
    before, after = SCENARIOS["nothing"].later, SCENARIOS[name].later
    return tuple(rng.permutation(one.sample(n_rows, rng)[0]) for one in (before, after))  # type: ignore[return-value]


def run(name: str, n_rows: int, seed: int) -> MixtureDrift:
    """Learn a model from the rows of the first time, and compare those of the second."""
    before, after = drawn(name, n_rows, seed)
    mixture = GaussianMixture(3, random_state=seed).fit(before).mixture_
    return mixture_drift(mixture, reference_of(as_data(before), mixture), as_data(after))


def _evidently(python: str, name: str, n_rows: int, seeds: int) -> list[list[bool]]:
    """Return whether evidently finds drift of the data set, and of any column, for each seed."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for seed in range(seeds):
            before, after = drawn(name, n_rows, seed)
            paths.append(str(Path(folder, f"{seed}.npz")))
            np.savez(paths[-1], before=before, after=after)
        done = subprocess.run(
            [python, "-W", "ignore", "-c", _EVIDENTLY, *paths], capture_output=True, text=True, check=True
        )
    answers: list[list[bool]] = json.loads(done.stdout.partition("ANSWERS")[2])
    return answers


def oracle_powers(segment: int, size: float, n_rows: int) -> list[float]:
    """Return the power of three tests that know the model, for a shift of the first column of a segment.

    Of tests that know where the shift is, in which segment, and neither.
    """
    precision, rng = np.linalg.inv(_covariance()), np.random.default_rng(0)
    counts = np.array(_WEIGHTS) * n_rows
    variances = 2.0 / counts
    root = np.linalg.cholesky(_covariance())
    noise = rng.standard_normal((_ORACLE_DRAWS, 3, _D)) @ root.T * np.sqrt(variances)[:, None]
    moved = noise.copy()
    moved[:, segment, 0] += size

    def ratios(differences: FloatArray) -> FloatArray:
        """Return logarithms of likelihood ratios, averaged over both signs, (draws, segments, columns)."""
        slope = size * (differences @ precision) / variances[:, None]
        constant = 0.5 * size**2 * np.diag(precision) / variances[:, None]
        return np.asarray(np.logaddexp(slope, -slope) - np.log(2.0) - constant)

    def power(choose: Callable[[FloatArray], FloatArray]) -> float:
        return float((choose(ratios(moved)) > np.quantile(choose(ratios(noise)), 0.95)).mean())

    return [
        power(lambda found: found[:, segment, 0]),
        power(lambda found: np.logaddexp.reduce(found[:, segment], axis=1)),
        power(lambda found: np.logaddexp.reduce(found.reshape(len(found), -1), axis=1)),
    ]


def _row(name: str, n_rows: int, evidently: str | None) -> list[str]:
    """Return a row of the table."""
    seeds = _SEEDS.get(name, _LARGE_SEEDS if n_rows == _LARGE else _OTHER_SEEDS)
    asked = _LARGE_EVIDENTLY_SEEDS if n_rows == _LARGE else _EVIDENTLY_SEEDS
    found = [run(name, n_rows, seed) for seed in range(seeds)]
    alarms = np.mean([one.verdict.word != "keep" for one in found])
    named = np.mean([SCENARIOS[name].named(one) for one in found])
    other = ["", ""]
    if evidently is not None:
        shares = np.array(_evidently(evidently, name, n_rows, asked)).mean(axis=0)
        other = [f"{100 * one:.1f}" for one in shares]
    shift, oracles = SCENARIOS[name].shift, ["", "", ""]
    if shift is not None:
        oracles = [f"{100 * one:.1f}" for one in oracle_powers(*shift, n_rows)]
    return [name, f"{n_rows:,}", str(seeds), f"{100 * alarms:.1f}", f"{100 * named:.1f}", *oracles, *other]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evidently", metavar="PYTHON")
    parser.add_argument("--large", action="store_true")
    asked, _ = parser.parse_known_args()
    rows = []
    for n_rows in (300, 3_000, *([_LARGE] if asked.large else [])):
        for name in SCENARIOS:
            rows.append(_row(name, n_rows, asked.evidently))
            print(*rows[-1], sep=", ", file=sys.stderr, flush=True)
    print_table(
        "Share of draws (%): verdict other than keep, change named; tests that know the model and where the shift is,"
        " its segment, or neither; evidently: data set drifts, any column drifts",
        [
            "what changed",
            "rows",
            "seeds",
            "verdict",
            "named",
            "place",
            "segment",
            "neither",
            "evidently",
            "any column",
        ],
        rows,
    )


if __name__ == "__main__":
    main()
