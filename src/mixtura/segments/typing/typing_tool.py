"""A typing tool: the golden questions of a model, how well they assign people, and what assigns them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import FloatArray
from mixtura.io import codebook_of, to_float64
from mixtura.io.questionnaire.answer_sheet import AccuracyRow, Question, Questionnaire
from mixtura.segments.merging.grouped import require_single_components
from mixtura.segments.model.read_rows import ModelRows, read_rows
from mixtura.segments.model.robust_file import require_gaussian
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.table.discrete.coding import CodedColumn
from mixtura.segments.typing.golden_questions import GoldenQuestions, find_questions
from mixtura.segments.typing.reduced_model import reduced_model
from mixtura.validation import Interval, require

__all__ = ["TypingTool", "make_typing_tool"]

FORMAT, FORMAT_VERSION = "mixtura-typing", 1


@dataclass(frozen=True, slots=True, eq=False)
class TypingTool:
    """Questions that assign people to the segments of a model, and what they assign by.

    Parameters
    ----------
    model : SegmentModel
        Of these questions alone; it assigns, is saved and exported as any other.
    questions : tuple of Question
        The golden questions, the best first.
    found : GoldenQuestions
        With the curve of all that were tried.
    source : str
        What the table of the whole model is called.
    n_columns : int
        Of the whole model.
    """

    model: SegmentModel
    questions: tuple[Question, ...]
    found: GoldenQuestions
    source: str
    n_columns: int

    @property
    def agreement(self) -> float:
        """Share of people held out whom these questions put in the segment of the whole model."""
        return self.found.curve[len(self.questions) - 1].agreement

    def to_dict(self) -> dict[str, Any]:
        """Return numbers, texts, lists and dicts only."""
        found = self.found
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "mixtura_version": self.model.mixtura_version,
            "source": self.source,
            "segments": list(self.model.names),
            "columns": self.n_columns,
            "people": found.n_people,
            "folds": found.n_folds,
            "base_rate": found.base_rate,
            "agreement": self.agreement,
            "questions": [
                {"column": one.column, "label": one.label, "kind": one.kind, "answers": dict(one.answers)}
                for one in self.questions
            ],
            "curve": [
                asdict(one) | {"recall": [None if math.isnan(share) else share for share in one.recall]}
                for one in found.curve
            ],
        }

    def questionnaire(self) -> Questionnaire:
        """Return what the workbook shows beside the formulas."""
        found, n = self.found, len(self.questions)
        last = found.curve[n - 1]
        held_out = f"{100 * last.agreement:.1f} % (standard error {100 * last.standard_error:.1f})"
        whole = (
            f"{n} of the {self.n_columns} columns of the model of {self.source} assign people to its "
            f"{self.model.n_segments} segments. Fill in the answers on the sheet Answers; the first rows are examples."
        )
        accuracy = (
            f"Of {found.n_people:,} people, {held_out} are put in the segment of the whole model when they are held "
            f"out from the choice of questions in {found.n_folds} folds; without a question it is "
            f"{100 * found.base_rate:.1f} %."
        )
        missing = (
            "One answer may be missing. The probabilities are those of the whole model for people of whom only these "
            "answers are known."
        )
        curve = tuple(AccuracyRow(**asdict(one)) for one in found.curve)
        return Questionnaire(
            "Typing tool", self.questions, self.model.names, curve, (whole, accuracy, missing)
        )


def make_typing_tool(
    model: SegmentModel,
    frame: Any,
    *,
    columns: Sequence[str] | None = None,
    n_questions: int | None = None,
    max_questions: int = 10,
    min_agreement: float = 0.9,
    random_state: int = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> TypingTool:
    """Find the few questions that assign people to the segments of a model.

    Questions are chosen forward, each the one after which most people are put in the segment that the whole model puts
    them in; the agreement is that of people held out from the choice. Nothing is estimated again: the answers are
    scored by the marginal of the model.

    Parameters
    ----------
    model : SegmentModel
    frame : pandas, polars or pyarrow table
        People whose answers to all questions are known, such as the table of the model. Where it has the model's column
        of weights, people count by it.
    columns : sequence of str or None, default=None
        Columns that may be asked; None for all of the model.
    n_questions : int or None, default=None
        How many questions; None for the fewest that reach `min_agreement`, or else come within one standard error of
        the best.
    max_questions : int, default=10
        How many are tried.
    min_agreement : float, default=0.9
    random_state : int, default=0
        Seed of the folds.
    on_step : callable or None, default=None
        Called as ``on_step(done, total)`` after each choice of questions.

    Raises
    ------
    ParameterError
        A parameter is out of its range, a column is not one of the model's, or the model has noise or t components.
    ColumnError, DataError
        The table lacks a column of the model, or has too few people.

    Examples
    --------
    >>> from mixtura import Segmentation
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments.typing.typing_tool import make_typing_tool
    >>> customers = make_customers(as_frame="polars")
    >>> tool = make_typing_tool(Segmentation.fit(customers, components=[3]).model, customers)
    >>> [one.column for one in tool.questions], round(tool.agreement, 2)
    (['spending'], 0.99)
    """
    require_single_components(model.groups, "A typing tool")
    require_gaussian(model.mixture, "a typing tool")
    require("max_questions", max_questions, Interval(1, whole=True), "Try `max_questions=10`.")
    require("min_agreement", min_agreement, Interval(0, 1), "Try `min_agreement=0.9`.")
    most = max_questions
    if n_questions is not None:
        every = len(model.columns) + len(model.discrete_columns) if columns is None else len(columns)
        require("n_questions", n_questions, Interval(1, every, whole=True), "Try `n_questions=3`.")
        most = max(max_questions, n_questions)
    read = read_rows(model, frame)
    weights = _weights(model, read)
    found = find_questions(
        model, read.table, weights, candidates=columns, most=most, seed=random_state, on_step=on_step
    )
    n = n_questions or _enough(found, min_agreement)
    chosen = found.questions[:n]
    reduced = reduced_model(model, chosen)
    asked = tuple(_question(name, reduced, read, codebook_of(frame).column(name).label) for name in chosen)
    every = len(model.columns) + len(model.discrete_columns)
    return TypingTool(reduced, asked, found, model.training.source, every)


def _enough(found: GoldenQuestions, min_agreement: float) -> int:
    reached = [one.n_questions for one in found.curve if one.agreement >= min_agreement]
    return reached[0] if reached else found.recommended


def _weights(model: SegmentModel, read: ModelRows) -> FloatArray | None:
    name = model.training.weight_column
    table: nw.DataFrame[Any] = nw.from_native(read.frame, eager_only=True)
    if name is None or name not in table.columns:
        return None
    values = to_float64(table[name])[read.complete]
    return np.where(np.isfinite(values) & (values > 0), values, 0.0)


def _question(name: str, reduced: SegmentModel, read: ModelRows, label: str) -> Question:
    coded = (
        None
        if reduced.coding is None
        else next((one for one in reduced.coding.columns if one.name == name and one.kind != "spike"), None)
    )
    if coded is None:
        return _number(name, reduced, read, label)
    answers = _answers(coded)
    return Question(name, label, _kind(coded), answers, _likely(coded, reduced))


def _number(name: str, reduced: SegmentModel, read: ModelRows, label: str) -> Question:
    table: nw.DataFrame[Any] = nw.from_native(read.frame, eager_only=True)
    values = to_float64(table[name])
    values = values[np.isfinite(values)]
    d = reduced.columns.index(name)
    center = reduced.scaling.restore(reduced.mixture.means)[:, d]
    # Three digits of the spread say enough of an example.
    digits = max(0, 2 - math.floor(math.log10(values.std() or 1.0)))
    whole = bool(np.all(values == np.rint(values)))
    typical = tuple(round(float(one), 0 if whole else digits) for one in center)
    return Question(name, label, f"a number from {values.min():g} to {values.max():g}", (), typical)


def _kind(coded: CodedColumn) -> str:
    if coded.kind == "count":
        most = coded.first + len(coded.levels) - 1
        return f"a whole number from {coded.first}; {most} and more count alike"
    return (
        "one of the answers listed"
        if coded.kind == "category"
        else "one of the answers listed, in their order"
    )


def _answers(coded: CodedColumn) -> tuple[tuple[str, str], ...]:
    if coded.kind == "count":
        return ()
    labels = coded.labels or ("",) * len(coded.levels)
    return tuple(zip(coded.levels, labels, strict=True))


def _likely(coded: CodedColumn, reduced: SegmentModel) -> tuple[float | str, ...]:
    """Return the most probable answer of each segment."""
    coding, table = reduced.coding, reduced.mixture.levels
    assert coding is not None and table is not None, "a coded column has levels"  # noqa: PT018
    j = coding.columns.index(coded)
    logs = table.logs[coding.discrete.starts[j] : coding.discrete.starts[j + 1]]
    shown = coded.labels or coded.levels
    best = [int(one) for one in logs.argmax(axis=0)]
    if coded.kind == "count":
        return tuple(float(coded.first + min(one, len(coded.levels) - 2)) for one in best)
    return tuple(shown[one] for one in best)
