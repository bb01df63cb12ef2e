"""Golden questions: which few columns of a model assign people as all of them do, and how well, on people held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.protocols import MixedRows, RowTable, continuous_rows
from mixtura.exceptions import DataError, ParameterError
from mixtura.segments.model.segment_model import SegmentModel

__all__ = ["Accuracy", "GoldenQuestions", "find_questions", "memberships_by"]

_ROWS = 2_000
"""People by whose agreement questions are chosen."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well the first n questions assign people.

    Parameters
    ----------
    n_questions : int
    question : str
        The one that was added last, of those chosen by all people.
    agreement : float
        Share of people held out, by weight, who are put in the segment of the whole model. Each fold chooses its
        questions without the people that it holds out.
    standard_error : float
    chosen_on : float
        The same of the people by whom the questions were chosen, which flatters.
    recall : tuple of float
        The same of the people of each segment, held out; NaN where it has none.
    """

    n_questions: int
    question: str
    agreement: float
    standard_error: float
    chosen_on: float
    recall: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class GoldenQuestions:
    """Questions in the order of their use.

    Parameters
    ----------
    questions : tuple of str
        The best first.
    curve : tuple of Accuracy
        After each question.
    base_rate : float
        Share of the largest segment: the agreement without a question.
    n_people : int
        With whom the curve was measured.
    n_folds : int
    """

    questions: tuple[str, ...]
    curve: tuple[Accuracy, ...]
    base_rate: float
    n_people: int
    n_folds: int

    @property
    def recommended(self) -> int:
        """The fewest questions within one standard error of the best agreement."""
        best = max(self.curve, key=lambda one: one.agreement)
        enough = best.agreement - best.standard_error
        return next(one.n_questions for one in self.curve if one.agreement >= enough)


def memberships_by(model: SegmentModel, rows: RowTable, questions: Sequence[str]) -> FloatArray:
    """Return the probability of each segment, (N, K), by the answers to some questions: all others count as missing."""
    plain = continuous_rows(rows).copy()
    plain[:, [name not in questions for name in model.columns]] = np.nan
    if model.coding is None or not isinstance(rows, MixedRows):
        return model.memberships(plain)
    levels = rows.levels.copy()
    levels[:, [one.name not in questions for one in model.coding.columns]] = rows.discrete.starts[-1]
    return model.memberships(MixedRows(plain, levels, rows.discrete))


def find_questions(
    model: SegmentModel,
    rows: RowTable,
    weights: FloatArray | None = None,
    *,
    candidates: Sequence[str] | None = None,
    most: int = 10,
    n_folds: int = 5,
    seed: int = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> GoldenQuestions:
    """Choose questions one after the other, each the one that raises the agreement with the whole model most.

    Where several raise it alike, the one that gives more probability to the whole model's segment. The first question
    is a continuous one. The curve is that of people held out: each fold chooses with the others.

    Parameters
    ----------
    model : SegmentModel
    rows : ndarray or MixedRows of shape (N, D)
        In the user's units.
    weights : ndarray of shape (N,) or None, default=None
    candidates : sequence of str or None, default=None
        Columns that may be asked; None for all of the model.
    most : int, default=10
        Questions, at most.
    n_folds : int, default=5
    seed : int, default=0
        Of the folds.
    on_step : callable or None, default=None
        Called as ``on_step(done, total)`` after each choice of questions.

    Raises
    ------
    ParameterError
        A candidate is not a column of the model, or none is continuous.
    DataError
        There are fewer people than folds, or the model has one segment.
    """
    asked = _candidates(model, candidates)
    n, most = len(continuous_rows(rows)), min(most, len(asked))
    if model.n_segments < 2 or n < 2 * n_folds:
        raise DataError(
            f"A typing tool needs two segments and at least {2 * n_folds} people; got {model.n_segments} and {n}. "
            "Give it the table that the model was learned from."
        )
    said = on_step or (lambda done, total: None)
    rng = np.random.default_rng(seed)
    folds = rng.permutation(np.arange(n) % n_folds)
    labels = model.memberships(rows).argmax(axis=1)
    weights = np.ones(n) if weights is None else weights
    people = _People(model, rows, labels, weights)
    hits = np.zeros((most, n), dtype=bool)
    for fold in range(n_folds):
        held = folds == fold
        order, _ = _choose(people.some(_sample(rng, ~held)), asked, most)
        hits[:, held] = people.some(np.flatnonzero(held)).hits(order)
        said(fold + 1, n_folds + 1)
    order, chosen_on = _choose(people.some(_sample(rng, np.ones(n, dtype=bool))), asked, most)
    said(n_folds + 1, n_folds + 1)
    curve = [
        _accuracy(step + 1, order[step], hits[step], labels, weights, chosen_on[step], model.n_segments)
        for step in range(most)
    ]
    shares = np.bincount(labels, weights, minlength=model.n_segments) / weights.sum()
    return GoldenQuestions(tuple(order), tuple(curve), float(shares.max()), n, n_folds)


def _candidates(model: SegmentModel, candidates: Sequence[str] | None) -> list[str]:
    every = [*model.columns, *model.discrete_columns]
    asked = every if candidates is None else list(dict.fromkeys(candidates))
    unknown = [name for name in asked if name not in every]
    if unknown or not set(asked) & set(model.columns):
        raise ParameterError(
            f"`columns` must name columns of the model, at least one of {', '.join(map(repr, model.columns))}; got "
            f"{asked!r}. Leave it out to choose among all."
        )
    return asked


@dataclass(frozen=True, slots=True, eq=False)
class _People:
    """People whose segment by the whole model is known."""

    model: SegmentModel
    rows: RowTable
    labels: IntArray
    weights: FloatArray

    def some(self, chosen: IntArray) -> _People:
        rows: RowTable
        if isinstance(self.rows, MixedRows):
            rows = MixedRows(self.rows.rows[chosen], self.rows.levels[chosen], self.rows.discrete)
        else:
            rows = continuous_rows(self.rows)[chosen]
        return _People(self.model, rows, self.labels[chosen], self.weights[chosen])

    def hits(self, questions: Sequence[str]) -> Any:
        """Return who is put in the same segment as by the whole model, by the first 1, 2, ... questions, (most, n)."""
        found = [
            memberships_by(self.model, self.rows, questions[: step + 1]) for step in range(len(questions))
        ]
        return np.stack([one.argmax(axis=1) == self.labels for one in found])

    def score(self, questions: Sequence[str]) -> tuple[float, float]:
        """Return the agreement, and the mean probability of the segment of the whole model."""
        found = memberships_by(self.model, self.rows, questions)
        own = found[np.arange(len(found)), self.labels]
        agree = found.argmax(axis=1) == self.labels
        return float(np.average(agree, weights=self.weights)), float(np.average(own, weights=self.weights))


def _sample(rng: np.random.Generator, allowed: Any) -> IntArray:
    rows = np.flatnonzero(allowed)
    return rows if rows.size <= _ROWS else np.sort(rng.choice(rows, _ROWS, replace=False))


def _choose(people: _People, candidates: Sequence[str], most: int) -> tuple[list[str], list[float]]:
    """Return questions in the order in which they are chosen, and the agreement after each."""
    chosen: list[str] = []
    agreements = []
    while len(chosen) < most:
        left = [name for name in candidates if name not in chosen]
        if not chosen:
            left = [name for name in left if name in people.model.columns]
        scores = {name: people.score([*chosen, name]) for name in left}
        best = max(left, key=lambda name: scores[name])
        chosen.append(best)
        agreements.append(scores[best][0])
    return chosen, agreements


def _accuracy(
    n_questions: int,
    question: str,
    hits: Any,
    labels: IntArray,
    weights: FloatArray,
    chosen_on: float,
    n_segments: int,
) -> Accuracy:
    share = float(np.average(hits, weights=weights))
    # As of a share among customers of these weights, `share_interval`.
    error = float(np.sqrt((weights**2 * (hits - share) ** 2).sum()) / weights.sum())
    totals = np.bincount(labels, weights, minlength=n_segments)
    right = np.bincount(labels, weights * hits, minlength=n_segments)
    recall = np.divide(right, totals, out=np.full(n_segments, np.nan), where=totals > 0)
    return Accuracy(n_questions, question, share, error, chosen_on, tuple(recall.tolist()))
