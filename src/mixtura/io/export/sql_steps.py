"""The steps of scoring in SQL: from the columns of a table to segments, each a SELECT of the one before.

The columns become finite numbers ``x``, scaled ``y``, deviations ``d`` from the means, whitened ``z``, log densities
``l``, of which ``m`` is the largest, ``e = exp(l - m)``, and ``s`` the sum of these. Where segments have several
components ``f`` are the sums of ``e`` in each, and ``h`` the largest of these. Where values may be missing, ``p``
counts columns in powers of two: the row lacks column d where its bit d is set. ``j`` is the Jacobian of transforms.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np

from mixtura.expressions.expression import (
    Binary,
    Call,
    Case,
    Expression,
    Integer,
    Name,
    Number,
    Text,
    Truth,
    both,
    total,
    tree,
)
from mixtura.expressions.sql_text import Step
from mixtura.io.export.levels import is_finite, lacks_level, level_log, level_of, within
from mixtura.io.export.scorer import Pattern, Scorer

__all__ = ["ScoringSteps", "result_names"]

_LARGEST = 1e100
"""Beyond it a value, squared, could be larger than any number: some engines fail then, others give wrong answers."""
_LARGEST_WHITENED = 1e140
_LEAST_EXPONENT = -700.0
"""exp of it is the smallest that no engine takes for an underflow."""

_HALF_ROOT = 0.5**0.5
"""Factor of z, so that ``l`` is a constant less the sum of its squares."""

_ID = "row_id"


def result_names(scorer: Scorer) -> list[str]:
    """Return the names of the columns of a result but for the id: those of the tables that mixtura writes."""
    named = ["segment"] if scorer.names is None else ["segment", "segment_name"]
    return [
        *named,
        "certainty",
        *(f"probability_{number}" for number in scorer.numbers),
        "log_density",
        "anomaly",
    ]


class ScoringSteps:
    """Builds the steps.

    Parameters
    ----------
    scorer : Scorer
    id_columns : dict of str to str
        From names in the table to names in the result.
    max_missing : int
        Rows that lack more values have no result.
    """

    def __init__(self, scorer: Scorer, id_columns: dict[str, str], max_missing: int) -> None:
        self._scorer = scorer
        self._ids = id_columns
        self._max_missing = max_missing
        self._patterns = scorer.patterns(max_missing)
        self._components = scorer.present

    def all(self) -> list[Step]:
        """Return the steps in their order; the user's names stand in the first and the last."""
        first = [self._bounded(), self._scaled()] if self._bent else [self._bounded()]
        rest = [
            self._deviations(),
            self._whitened(),
            self._log_densities(),
            self._largest(),
            self._powers(),
            self._sum(),
            *([self._largest_segment(), self._labeled()] if self._scorer.groups else []),
        ]
        return [*first, *rest, self._result()]

    @property
    def _has_patterns(self) -> bool:
        return len(self._patterns) > 1 or bool(self._scorer.discrete)

    @cached_property
    def _bent(self) -> bool:
        """Whether a column is transformed."""
        return any(one.forward is not None for one in self._scorer.scales)

    @cached_property
    def _moved(self) -> bool:
        """Whether the density of scaled rows differs from that of the user's by more than a constant."""
        return any(one.log_derivative is not None for one in self._scorer.scales)

    def _carried(self, *more: str) -> dict[str, Expression]:
        """Return what is handed on from step to step."""
        names = [f"{_ID}{number}" for number in range(len(self._ids))]
        names += ["p"] * self._has_patterns
        return {name: Name(name) for name in (*names, *more)}

    def _each(self, letter: str) -> list[Name]:
        return [Name(f"{letter}{k + 1}") for k in self._components]

    def _jacobian(self) -> list[str]:
        return ["j"] * self._moved

    def _levels(self) -> list[str]:
        return [f"g{j + 1}" for j in range(len(self._scorer.discrete))]

    def _bounded(self) -> Step:
        """Columns in double precision; what is too large is missing, and makes the whole result missing."""
        ids = {f"{_ID}{number}": Name(name) for number, name in enumerate(self._ids)}
        cast = [self._number(d) for d in range(len(self._scorer.columns))]
        columns: dict[str, Expression] = dict(ids)
        for d, (value, limit) in enumerate(zip(cast, self._limits, strict=True)):
            scaled = self._scorer.scales[d].scaled(value)
            name, found = (f"x{d + 1}", value) if self._bent else (f"y{d + 1}", scaled)
            columns[name] = Case(((within(value, limit), found),))
        columns |= {f"g{j + 1}": level_of(part) for j, part in enumerate(self._scorer.discrete)}
        return Step(columns | ({"p": self._pattern(cast)} if self._has_patterns else {}))

    def _number(self, d: int) -> Expression:
        """Return a column in double precision, missing where it holds a code of a missing value."""
        value: Expression = Call("double", Name(self._scorer.columns[d]))
        for code in self._scorer.missing_codes[d] if self._scorer.missing_codes else ():
            value = Case(((value < code, value), (Number(code) < value, value)))
        return value

    def _pattern(self, cast: list[Expression]) -> Expression:
        """Return which columns the Gaussian part lacks, in powers of two; missing where too many values are."""
        lacking: list[Expression] = []
        for d, value in enumerate(cast):
            spikes = self._scorer.spikes[d] if self._scorer.spikes else ()
            at = [(value.equals(spike), Integer(2**d)) for spike in spikes]
            lacking.append(Case((*at, (is_finite(value), Integer(0))), Integer(2**d)))
        if not self._scorer.discrete:
            return total(lacking)
        missing: list[Expression] = [Case(((is_finite(one), Integer(0)),), Integer(1)) for one in cast]
        missing += [lacks_level(part) for part in self._scorer.discrete if part.kind != "spike"]
        few = Binary("<", total(missing), Integer(self._max_missing + 1))
        return Case(((few, total(lacking)),))

    @cached_property
    def _limits(self) -> list[float]:
        """How large the values of each column may be, so that neither z nor its square overflow.

        No transform grows faster than a square.
        """
        scales = np.array([one.scale for one in self._scorer.scales])
        steepest = np.abs(self._patterns[0].factors).max(axis=(0, 1)) / scales
        limits = np.minimum(_LARGEST, _LARGEST_WHITENED / np.maximum(steepest, 1e-300))
        return [
            float(f"{limit if one.forward is None else limit**0.5:.0e}")
            for limit, one in zip(limits, self._scorer.scales, strict=True)
        ]

    def _scaled(self) -> Step:
        scales = self._scorer.scales
        columns = self._carried(*self._levels())
        columns |= {f"y{d + 1}": one.scaled(Name(f"x{d + 1}")) for d, one in enumerate(scales)}
        if self._moved:
            columns["j"] = total([self._log_derivative(d) for d in range(len(scales)) if self._bends(d)])
        return Step(columns)

    def _bends(self, d: int) -> bool:
        return self._scorer.scales[d].log_derivative is not None

    def _log_derivative(self, d: int) -> Expression:
        one = self._scorer.scales[d]
        assert one.log_derivative is not None
        value = Name(f"x{d + 1}")
        found = one.log_derivative(value)
        if not self._has_patterns:
            return found
        lacking = Binary("%", Name("p"), Integer(2 ** (d + 1))) >= Integer(2**d)
        return Case(((lacking, Number(one.derivative_at_center)),), found)

    def _deviations(self) -> Step:
        """Differences from the means, before anything is multiplied: far from zero products would cancel."""
        means = self._scorer.mixture.means
        columns = {
            f"d{k + 1}_{i + 1}": Name(f"y{i + 1}") - Number(means[k, i])
            for k in self._components
            for i in range(means.shape[1])
        }
        return Step(self._carried(*self._jacobian(), *self._levels()) | columns)

    def _whitened(self) -> Step:
        d = len(self._scorer.columns)
        columns = {f"z{k + 1}_{i + 1}": self._coordinate(k, i) for k in self._components for i in range(d)}
        return Step(self._carried(*self._jacobian(), *self._levels()) | columns)

    def _coordinate(self, k: int, i: int) -> Expression:
        """Return a whitened coordinate: it depends on which of the columns up to its own are missing."""
        if not self._has_patterns:
            return self._product(self._patterns[0], k, i)
        branches = {}
        for pattern in self._patterns:
            before = sum(2**d for d in pattern.missing if d <= i)
            if i not in pattern.missing and before not in branches:
                branches[before] = self._product(pattern, k, i)
        which = Binary("%", Name("p"), Integer(2 ** (i + 1)))
        if len(set(branches.values())) == 1:
            return Case(((which >= Integer(2**i), Number(0.0)),), branches[0])
        listed = tuple((Integer(number), value) for number, value in branches.items())
        incomplete = Case(listed, Number(0.0), subject=which)
        return Case(((Integer(0), branches[0]),), incomplete, subject=Name("p"))

    def _product(self, pattern: Pattern, k: int, i: int) -> Expression:
        factors = pattern.factors[k, i, : i + 1] * _HALF_ROOT
        return total(
            [Number(factors[j]) * Name(f"d{k + 1}_{j + 1}") for j in np.flatnonzero(factors).tolist()]
        )

    def _log_densities(self) -> Step:
        columns = {f"l{k + 1}": self._log_density(k) for k in self._components}
        return Step(self._carried(*self._jacobian()) | columns)

    def _log_density(self, k: int) -> Expression:
        z = [Name(f"z{k + 1}_{i + 1}") for i in range(len(self._scorer.columns))]
        squares = total([one * one for one in z])
        found = self._by_pattern([one.offsets[k] for one in self._patterns]) - squares
        if not self._scorer.discrete:
            return found
        parts = zip(self._levels(), self._scorer.discrete, strict=True)
        return found + total([level_log(part, Name(name), k) for name, part in parts])

    def _by_pattern(self, values: Iterable[float]) -> Expression:
        """Return a number that depends on which columns are missing; missing where too many are."""
        listed = [
            (Integer(sum(2**d for d in pattern.missing)), Number(float(value)))
            for pattern, value in zip(self._patterns, values, strict=True)
        ]
        return Case(tuple(listed), subject=Name("p")) if self._has_patterns else listed[0][1]

    def _largest(self) -> Step:
        each = self._each("l")
        names = [one.name for one in each]
        return Step(self._carried(*self._jacobian(), *names) | {"m": _largest_of(each)})

    def _powers(self) -> Step:
        each = self._each("l")
        columns: dict[str, Expression] = {}
        for k, one in zip(self._components, each, strict=True):
            below = one - Name("m")
            clamped = Case(((below < _LEAST_EXPONENT, Number(_LEAST_EXPONENT)),), below)
            columns[f"e{k + 1}"] = Call("exp", clamped)
        if not self._scorer.groups:
            columns = {"label": self._label(each, self._components, "m")} | columns
        return Step(self._carried(*self._jacobian(), "m") | columns)

    def _label(self, each: list[Name], numbers: Iterable[int], largest: str) -> Expression:
        """Return the number of the first that is the largest."""
        pairs = zip(each, numbers, strict=True)
        return Case(tuple((one.equals(Name(largest)), Integer(k + self._scorer.first)) for one, k in pairs))

    def _sum(self) -> Step:
        each = self._each("e")
        found: dict[str, Expression] = {"s": total(each)}
        if not self._scorer.groups:
            return Step(self._carried(*self._jacobian(), "m", "label", *(one.name for one in each)) | found)
        for g, group in self._segments():
            found[f"f{g + 1}"] = total([Name(f"e{k + 1}") for k in group])
        return Step(self._carried(*self._jacobian(), "m", *self._for_expected()) | found)

    def _segments(self) -> list[tuple[int, list[int]]]:
        """Return the segments that have a component with weight, and these components."""
        present = [[k for k in group if k in self._components] for group in self._scorer.groups]
        return [(g, group) for g, group in enumerate(present) if group]

    def _for_expected(self) -> list[str]:
        """Return what is handed on of the components where rows with missing values are scored."""
        return [one.name for one in self._each("e")] if self._has_patterns else []

    def _largest_segment(self) -> Step:
        each = [Name(f"f{g + 1}") for g, _ in self._segments()]
        carried = self._carried(
            *self._jacobian(), "m", "s", *self._for_expected(), *(one.name for one in each)
        )
        return Step(carried | {"h": _largest_of(each)})

    def _labeled(self) -> Step:
        numbers = [g for g, _ in self._segments()]
        each = [Name(f"f{g + 1}") for g in numbers]
        carried = self._carried(
            *self._jacobian(), "m", "s", "h", *self._for_expected(), *(one.name for one in each)
        )
        return Step(carried | {"label": self._label(each, numbers, "h")})

    def _result(self) -> Step:
        scorer, label = self._scorer, Name("label")
        columns: dict[str, Expression] = {
            alias: Name(f"{_ID}{number}") for number, alias in enumerate(self._ids.values())
        }
        columns["segment"] = label
        if scorer.names is not None:
            listed = zip(scorer.numbers, scorer.names, strict=True)
            columns["segment_name"] = Case(
                tuple((Integer(number), Text(name)) for number, name in listed), subject=label
            )
        columns["certainty"] = Name("h") / Name("s") if scorer.groups else 1.0 / Name("s")
        for place, number in enumerate(scorer.numbers):
            columns[f"probability_{number}"] = self._of_segment(place)
        columns["log_density"] = self._density()
        columns["anomaly"] = (
            Case(((label.equals(label), Truth(value=False)),))
            if scorer.threshold is None
            else self._density() < scorer.threshold
        )
        return Step(columns, fenced=False)

    def _of_segment(self, place: int) -> Expression:
        if not self._scorer.groups:
            return self._probability(place)
        if place in {g for g, _ in self._segments()}:
            return Name(f"f{place + 1}") / Name("s")
        return Case(((Name("label").equals(Name("label")), Number(0.0)),))

    def _probability(self, k: int) -> Expression:
        if k in self._components:
            return Name(f"e{k + 1}") / Name("s")
        return Case(((Name("label").equals(Name("label")), Number(0.0)),))

    def _density(self) -> Expression:
        found = Name("m") + Call("ln", Name("s"))
        volume = self._scorer.log_volume
        if volume:
            found = found - volume
        if self._moved:
            found = found + Name("j")
        return found + self._expected() if self._has_patterns else found

    def _expected(self) -> Expression:
        """Return what the density of a row with missing values lacks of that of a whole row."""
        branches = []
        for pattern in self._patterns:
            weighted = [self._probability(k) * Number(pattern.expected[k]) for k in self._components]
            number = Integer(sum(2**d for d in pattern.missing))
            branches.append((number, total(weighted) if pattern.missing else Number(0.0)))
        return Case(tuple(branches), subject=Name("p"))


def _largest_of(each: list[Name]) -> Expression:
    branches = [
        (tree([one >= other for other in each[number + 1 :]], both), one)
        for number, one in enumerate(each[:-1])
    ]
    return Case(tuple(branches), each[-1]) if branches else each[0]
