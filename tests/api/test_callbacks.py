"""scikit-learn's callbacks on our estimators, alone and inside its own compositions; without them where it has none."""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mixtura

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")
X, Y = load_iris(return_X_y=True)


def estimators() -> list[Any]:
    return [
        mixtura.GaussianMixture(3, n_init=2, random_state=0),
        mixtura.GaussianMixtureIC([1, 2], covariance_type=["EEE"], random_state=0),
        mixtura.KMeans(3, random_state=0),
    ]


def own_score(estimator: Any, X: Any, y: Any) -> dict[str, float]:
    """The estimator's own; `scoring=None`, which stands for it, raises in scikit-learn 1.9.1 whatever the estimator."""
    return {"score": estimator.score(X)}


class Listener:
    """What a callback hears, by the names of tasks."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.heard: list[tuple[str, str]] = []
        self.scores: list[float] = []
        self.weights: list[Any] = []
        self._stop_at = stop_at

    def setup(self, estimator: Any, context: Any) -> None:
        self.heard.append(("setup", context.task_name))

    def teardown(self, estimator: Any, context: Any) -> None:
        self.heard.append(("teardown", context.task_name))

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.heard.append(("begin", context.task_name))

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, X: Any, metadata: Any, fitted_estimator: Any
    ) -> bool:
        self.heard.append(("end", context.task_name))
        if fitted_estimator is not None:
            self.scores.append(fitted_estimator.score(X))
            self.weights.append(metadata)
        return self.heard.count(("end", "iteration")) == self._stop_at


@pytest.mark.parametrize("estimator", estimators(), ids=lambda one: type(one).__name__)
def test_progress_is_shown(estimator: Any, capsys: pytest.CaptureFixture[str]) -> None:
    estimator.set_callbacks(callback.ProgressBar()).fit(X)
    assert type(estimator).__name__ in capsys.readouterr().out
    assert not hasattr(estimator, "_callback_fit_ctx")


@pytest.mark.parametrize("estimator", estimators(), ids=lambda one: type(one).__name__)
def test_scores_are_monitored(estimator: Any) -> None:
    monitor = callback.ScoringMonitor(scoring=own_score)
    estimator.set_callbacks(monitor).fit(X)
    rows = monitor.get_logs().data
    assert rows[-1]["score"] == pytest.approx(estimator.score(X), rel=1e-12)


def test_every_iteration_is_a_task_with_a_fitted_copy() -> None:
    listener = Listener()
    model = mixtura.GaussianMixture(3, n_init=2, random_state=0).set_callbacks(listener).fit(X)
    n_iterations = sum(len(trace.events) for trace in model.result_.traces)
    assert listener.heard[:4] == [
        ("setup", "fit"),
        ("begin", "fit"),
        ("begin", "start"),
        ("begin", "iteration"),
    ]
    assert listener.heard[-2:] == [("end", "fit"), ("teardown", "fit")]
    assert listener.heard.count(("end", "start")) == 2
    assert (
        listener.heard.count(("begin", "iteration"))
        == listener.heard.count(("end", "iteration"))
        == n_iterations
    )
    assert len(listener.scores) == n_iterations + 1
    # The score after an iteration is the lower bound of the next.
    first = model.result_.traces[0].objectives
    np.testing.assert_allclose(listener.scores[: len(first) - 1], first[1:], rtol=1e-9)
    assert listener.scores[-1] == model.score(X)


def test_the_fit_is_the_same_with_callbacks() -> None:
    plain, watched = (mixtura.GaussianMixture(3, n_init=3, random_state=4) for _ in range(2))
    plain.fit(X)
    watched.set_callbacks(Listener()).fit(X)
    np.testing.assert_array_equal(plain.means_, watched.means_)
    assert plain.lower_bounds_ == watched.lower_bounds_


def test_a_callback_may_stop_a_start() -> None:
    model = mixtura.GaussianMixture(3, random_state=0, tol=0).set_callbacks(Listener(stop_at=4)).fit(X)
    assert model.n_iter_ == 4


def test_weights_are_handed_on() -> None:
    listener, weights = Listener(), np.arange(1.0, 151.0)
    mixtura.KMeans(2, random_state=0).set_callbacks(listener).fit(X, sample_weight=weights)
    np.testing.assert_array_equal(listener.weights[-1]["sample_weight"], weights)


def test_labels_are_scored_with() -> None:
    monitor = callback.ScoringMonitor(scoring="adjusted_rand_score")
    model = mixtura.GaussianMixture(3, random_state=0).set_callbacks(monitor)
    model.fit(X, Y)
    assert monitor.get_logs().data[-1]["adjusted_rand_score"] > 0.8


def test_a_warm_start_is_a_start() -> None:
    listener = Listener()
    model = mixtura.GaussianMixture(2, warm_start=True, random_state=0).set_callbacks(listener)
    model.fit(X).fit(X)
    assert listener.heard.count(("end", "start")) == 2


def test_a_failed_fit_is_torn_down() -> None:
    listener = Listener()
    model = mixtura.GaussianMixture(3, means_init=[[0.0]]).set_callbacks(listener)
    with pytest.raises(ValueError, match="means"):
        model.fit(X)
    listener = Listener()
    model = mixtura.GaussianMixture(2, reg_covar=0.0).set_callbacks(listener)
    with pytest.raises(ValueError, match="ill-defined"):
        model.fit(np.ones((5, 2)) * [[1.0, 2.0]])
    assert listener.heard[-1] == ("teardown", "fit")


@pytest.mark.parametrize("estimator", estimators(), ids=lambda one: type(one).__name__)
def test_inside_pipelines_and_grid_searches(estimator: Any) -> None:
    pipe = make_pipeline(StandardScaler(), estimator)
    monitor, bar = (
        callback.ScoringMonitor(scoring=own_score),
        callback.ProgressBar(max_propagation_depth=None),
    )
    pipe.set_callbacks(bar)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        pipe.fit(X)
        name = "n_clusters" if isinstance(estimator, mixtura.KMeans) else "n_components"
        sizes = [[1, 2], [2]] if isinstance(estimator, mixtura.GaussianMixtureIC) else [2, 3]
        search = GridSearchCV(estimator, {name: sizes}, cv=2)
        search.set_callbacks(callback.ProgressBar(max_propagation_depth=None))
        search.fit(X)
        estimator.set_callbacks(monitor)
        make_pipeline(StandardScaler(), estimator).fit(X)
    assert np.isfinite(search.best_score_)
    assert "score" in monitor.get_logs().data[-1]


def test_older_releases_have_no_callbacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.callback", None)
    before = sys.modules.pop("mixtura.estimators.callbacks")
    try:
        without = importlib.import_module("mixtura.estimators.callbacks")
        assert not hasattr(without.CallbackSupportMixin(), "set_callbacks")
        assert without.with_callbacks(len) is len
        assert without.FitTask.begin(object(), X, None, None, 1) is None
    finally:
        sys.modules["mixtura.estimators.callbacks"] = before
