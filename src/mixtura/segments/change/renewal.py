"""The model that a verdict asks for, learned from the new rows, with the names of the old segments."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import FloatArray
from mixtura.drift import Matching, MixtureDrift, SegmentEvent, match_segments
from mixtura.engine import as_data
from mixtura.exceptions import ColumnWarning, MixturaError
from mixtura.fit import log_likelihood
from mixtura.segments.model.assign import assign_read
from mixtura.segments.model.build import with_threshold
from mixtura.segments.model.component_order import ordered
from mixtura.segments.model.kept_reference import with_reference
from mixtura.segments.model.read_rows import ModelRows, read_rows
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.segment import segment_table
from mixtura.select.inference.refit import Refit

__all__ = ["Renewal", "keep_names", "renew"]


@dataclass(frozen=True, slots=True, eq=False)
class Renewal:
    """A new model, and what became of the segments of the old one.

    Parameters
    ----------
    kind : {"update", "refit"}
        Estimated again from the old one, or searched for.
    model : SegmentModel
        Segments that are the same have their names, and their numbers as far as there are as many segments.
    matching : Matching
        Of the old segments with the new ones, in the order of the new model.
    """

    kind: str
    model: SegmentModel
    matching: Matching

    def sentences(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return what became of the segments, whose old names are given; nothing of those that are the same."""
        said = []
        for one in self.matching.events:
            old = [repr(names[i]) for i in one.before]
            new = [repr(self.model.names[j]) for j in one.after]
            if one.kind == "split":
                said.append(f"{old[0]} split into {_listed(new)}.")
            elif one.kind == "merged":
                said.append(f"{_listed(old)} merged into {new[0]}.")
            elif one.kind == "appeared":
                said.append(f"{new[0]} appeared.")
            elif one.kind == "vanished":
                said.append(f"{old[0]} vanished.")
        return tuple(said)


def renew(model: SegmentModel, read: ModelRows, drift: MixtureDrift, *, source: str) -> Renewal | None:
    """Return the model that the verdict asks for; None where the old one is to be kept, or no fit succeeds.

    Parameters
    ----------
    model : SegmentModel
        The old one.
    read : ModelRows
        The new rows.
    drift : MixtureDrift
    source : str
        What the new rows are called.
    """
    word = drift.verdict.word
    if word == "keep" or read.absent:
        return None
    try:
        new = (_updated if word == "update" else _refitted)(model, read, source)
    except MixturaError:
        return None
    again = read if word == "update" else read_rows(new, read.frame, partial=True)
    both = read.complete & again.complete
    old, found = assign_read(model, read), assign_read(new, again)
    strange = old.log_density < drift.comparison.reference.cuts.tail
    if old.outlier is not None:
        strange |= old.outlier
    unexpected = strange[both].astype(np.float64)
    memberships = old.memberships[both], found.memberships[both]
    if word == "update":
        return Renewal(word, new, _unchanged(*memberships))
    return Renewal(word, *keep_names(model, new, *memberships, unexpected))


def _unchanged(before: FloatArray, after: FloatArray) -> Matching:
    """Return the matching of segments with what they became: each went on from where it was."""
    numbers = range(before.shape[1])
    return Matching(
        before.T @ after, tuple(numbers), tuple(SegmentEvent("kept", (k,), (k,)) for k in numbers)
    )


def keep_names(
    old: SegmentModel,
    new: SegmentModel,
    before: FloatArray,
    after: FloatArray,
    unexpected: FloatArray | None = None,
) -> tuple[SegmentModel, Matching]:
    """Return a new model with the names and numbers of the old segments, where they are the same.

    Parameters
    ----------
    old, new : SegmentModel
        K and L segments.
    before, after : ndarray of shape (N, K) and (N, L)
        Memberships of the same rows.
    unexpected : ndarray of shape (N,), optional
        See `mixtura.drift.match_segments`.
    """
    found = match_segments(before, after, unexpected)
    order = _order(found.partners)
    partners = tuple(found.partners[j] for j in order)
    events = match_segments(before, after[:, order], unexpected).events
    names, automatic = (
        _named(before_names, partners, [own[j] for j in order])
        for before_names, own in (
            (old.names, new.names),
            (old.automatic_names or old.names, new.automatic_names or new.names),
        )
    )
    kept = replace(
        new,
        mixture=ordered(new.mixture, order),
        reference=new.reference and new.reference.ordered(order),
        statistics=new.statistics and new.statistics.ordered(order),
        names=names,
        automatic_names=automatic,
        mean_values=tuple(new.mean_values[j] for j in order) if new.mean_values else (),
    )
    return kept, Matching(found.overlap[:, order], partners, events)


def _order(partners: Sequence[int | None]) -> list[int]:
    """Return the new segments so that each stands at its partner's place, where there are as many places."""
    n = len(partners)
    places: list[int | None] = [None] * n
    rest = []
    for j, i in enumerate(partners):
        if i is not None and i < n:
            places[i] = j
        else:
            rest.append(j)
    # Those whose partner's place is gone come before those without a partner.
    rest.sort(key=lambda j: (partners[j] is None, partners[j] or 0, j))
    free = iter(rest)
    return [next(free) if j is None else j for j in places]


def _named(old: Sequence[str], partners: Sequence[int | None], own: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the partners, and without one the segment's own, made different from all old and new ones."""
    taken, found = set(old), []
    for partner, other in zip(partners, own, strict=True):
        name, number = other if partner is None else old[partner], 2
        while partner is None and name in taken:
            name, number = f"{other} ({number})", number + 1
        taken.add(name)
        found.append(name)
    return tuple(found)


def _updated(model: SegmentModel, read: ModelRows, source: str) -> SegmentModel:
    data = as_data(model.scaling.seen(read.table), read.weights)
    result = Refit(model.training.prior).from_mixture(data, model.mixture)
    jacobians = model.scaling.log_jacobian(model.scaling.masked(read.rows), observed=True)
    added = float(jacobians.sum() if read.weights is None else jacobians @ read.weights)
    total = log_likelihood(data, result.mixture) + added
    count = result.mixture.n_parameters + model.scaling.n_parameters
    training = replace(
        model.training,
        source=source,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        rows=len(read.rows),
        rows_dropped=int((~read.complete).sum()),
        log_likelihood=total,
        bic=-2 * total + count * float(np.log(data.total_weight)),
        aic=-2 * total + 2 * count,
        n_iter=result.n_iter,
        converged=result.converged,
        outcome=result.outcome.value,
        history=(),
    )
    new = replace(
        model,
        mixture=result.mixture,
        training=training,
        reference=None,
        statistics=None,
        mixtura_version=version("mixtura"),
    )
    return _kept(new, read)


def _kept(model: SegmentModel, read: ModelRows) -> SegmentModel:
    new = with_threshold(model, model.log_density(read.table), read.weights)
    return with_reference(new, read.table, read.weights)


def _refitted(model: SegmentModel, read: ModelRows, source: str) -> SegmentModel:
    training = model.training
    options = _options(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        result = segment_table(
            read.frame,
            columns=[*model.columns, *model.discrete_columns],
            id_column=training.id_column if training.id_column in _names(read) else None,
            criterion=training.criterion if training.criterion != "cv" else "bic",
            n_init=training.n_init,
            random_state=training.seed,
            anomaly_percentile=model.anomaly_percentile,
            weight=training.weight_column if read.weights is not None else None,
            value=training.value_column if training.value_column in _names(read) else None,
            prior=training.prior,
            source=source,
            missing_codes=training.missing_codes or None,
            **options,
        )
    return with_reference(
        result.model, result.table, result.weights, result.outlier_rows, result.outlier_weights
    )


def _names(read: ModelRows) -> list[str]:
    names: list[str] = nw.from_native(read.frame, eager_only=True).columns
    return names


def _options(model: SegmentModel) -> dict[str, Any]:
    """Return the transforms and kinds of the columns, as `segment_table` takes them."""
    found: dict[str, Any] = {
        "transform": {name: one.kind for name, one in zip(model.columns, model.transforms, strict=True)}
    }
    if model.coding is not None:
        kinds = dict.fromkeys(model.columns, "continuous")
        # Where a count begins is found again, unless it may have been said that it does not begin at 1.
        kinds |= {
            one.name: "count-from-0" if one.kind == "count" and not one.first else one.kind
            for one in model.coding.columns
        }
        found["kinds"] = kinds
    return found


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
