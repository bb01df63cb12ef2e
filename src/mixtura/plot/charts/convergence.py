"""The iterations of every start of a fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from mixtura.exceptions import DataError, ParameterError
from mixtura.fit import FitResult
from mixtura.plot.data.axes import position
from mixtura.plot.export.export import as_chart
from mixtura.plot.theme.encodings import compact, titled
from mixtura.plot.theme.style import QUIET
from mixtura.plot.vega import Datasets, Spec, layered, marked, nominal, quantitative

__all__ = ["plot_convergence"]

_WIDTH, _HEIGHT = 560, 340
_MOST_POINTS = 3_000
_KEPT = "#0072B2"
_SEEN = 1e-6


def plot_convergence(result: Any) -> Any:
    """Return a chart of the log-likelihood over the iterations of every start.

    Parameters
    ----------
    result : FitResult, or a fitted estimator with a ``result_``

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    ParameterError
        It is neither.
    DataError
        No iteration was made.
    OptionalDependencyError
        Altair is not installed.

    Examples
    --------
    >>> from mixtura import GaussianMixture
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.plot import plot_convergence
    >>> model = GaussianMixture(n_components=3, n_init=4, random_state=0).fit(make_customers())
    >>> chart = plot_convergence(model)
    >>> sorted({row["start"] for row in chart.to_dict()["datasets"]["iterations"]})
    [1, 2, 3, 4]
    """
    from mixtura.fit import FitResult

    found = getattr(result, "result_", result)
    if not isinstance(found, FitResult):
        raise ParameterError(
            f"`result` must be a FitResult or a fitted estimator; got {type(result).__name__!r}. Fit it first."
        )
    datasets: Datasets = {}
    return as_chart(convergence_chart(found, datasets), datasets)


def convergence_chart(result: FitResult, datasets: Datasets) -> Spec:
    """Return the chart, and add its data: a line per start, that of the start that was kept above the others.

    The axis begins where three quarters of all iterations lie above, so that the climb to the top can be seen.
    """
    if not any(trace.events for trace in result.traces):
        raise DataError(
            "`result` must have at least one iteration; got a fit without any. Try `max_iter=100`."
        )
    most = max(2, _MOST_POINTS // len(result.traces))
    longest = max(len(trace.events) for trace in result.traces)
    low, high = _domain(result)
    datasets["iterations"] = [
        {"iteration": iteration, "value": value, "start": start + 1, "kept": start == result.best}
        for start in range(len(result.traces))
        for iteration, value in _thinned(result, start, most, high - low)
    ]
    x = position("iteration", "iteration", [1, max(2, longest)], values=_ticks(longest), format="d")
    y = position("value", "mean log-likelihood (nats per row)", [low, high], format="~g")
    encoding: Spec = {
        "x": x,
        "y": y,
        "detail": nominal("start"),
        "tooltip": [quantitative(name) for name in ("start", "iteration", "value")],
    }
    starts = len(result.traces)
    thinned = " Long lines are thinned." if longest > most else ""
    return titled(
        layered(*_layers(encoding, len(result.trace.events)), width=_WIDTH, height=_HEIGHT),
        f"{result.outcome.value.capitalize()} after {result.n_iter} iterations",
        [
            f"Blue: the start that was kept, {result.best + 1} of {starts}. Gray: the others."
            if starts > 1
            else "One start.",
            f"Larger is better.{thinned}",
        ],
    )


def _layers(encoding: Spec, last: int) -> tuple[Spec, Spec, Spec]:
    """Return the lines of the other starts, that of the one that was kept, and its end."""
    quiet: Spec = {"style": QUIET, "fill": None, "strokeWidth": 1.2, "clip": True}
    full: Spec = {"filled": True, "size": 90, "color": _KEPT, "opacity": 1}
    end = f"datum.kept && datum.iteration == {last}"
    return (
        marked("iterations", "line", encoding, where="!datum.kept", **quiet),
        marked("iterations", "line", encoding, where="datum.kept", color=_KEPT, strokeWidth=3, clip=True),
        marked("iterations", "point", encoding, where=end, **full),
    )


def _domain(result: FitResult) -> tuple[float, float]:
    values = np.concatenate([trace.objectives for trace in result.traces])
    low, high = float(np.quantile(values, 0.25)), float(values.max())
    # Starts that ended far below are part of the story.
    low = min(low, *(trace.objectives[-1] for trace in result.traces if trace.events), high)
    # Of less than a millionth nothing but rounding would be seen.
    span = max(high - low, _SEEN * abs(high)) or 1.0
    return high - 1.06 * span, high + 0.06 * span


def _ticks(longest: int) -> list[int]:
    """Return at most eight iterations at steps of 1, 2 or 5 times a power of ten."""
    step = next(
        step
        for power in range(12)
        for step in (10**power, 2 * 10**power, 5 * 10**power)
        if longest / step <= 7
    )
    return [1, *range(step if step > 1 else 2, longest + 1, step)]


def _thinned(result: FitResult, start: int, most: int, span: float) -> list[tuple[int, float]]:
    """Return iterations and objectives; of long traces about as many early ones as late ones, evenly on a log scale."""
    values = np.array(result.traces[start].objectives)
    numbers = np.arange(1, len(values) + 1)
    if len(values) > most:
        numbers = np.unique(np.rint(np.geomspace(1, len(values), most)).astype(int))
    return list(zip(numbers.tolist(), compact(values[numbers - 1], span), strict=True))
