"""One model of several sites: their sums are added, and the M-step makes a model of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from importlib.metadata import version
from operator import add

from mixtura.exceptions import DataError, ParameterError
from mixtura.segments.merging.grouped import require_single_components
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.updating.statistics_file import SiteStatistics, describe_model
from mixtura.segments.updating.training_info import Addition
from mixtura.segments.updating.update_model import model_to_learn, updated_training

__all__ = ["add_statistics", "merge_statistics"]

_SAID = {
    "columns": "columns",
    "discrete_columns": "columns of counts and categories",
    "covariance_type": "covariance type",
    "means": "segments",
    "scaling": "scales and transforms of the columns",
    "model": "parameters",
}


def merge_statistics(model: SegmentModel, sites: Sequence[SiteStatistics]) -> SegmentModel:
    """Return the model that follows from the sums of all sites: one step of EM on the rows of all of them.

    It is the step that would be made if the rows lay in one table, so that rounds of `site_statistics` and this
    converge to the model of the pooled rows. The rows that `model` itself was learned from are not in it.

    Parameters
    ----------
    model : SegmentModel
        That the sums are about.
    sites : sequence of SiteStatistics

    Raises
    ------
    DataError
        Sums are about another model, or two are the same.
    ParameterError
        There are no sums.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments import merge_statistics, segment_table, site_statistics
    >>> customers = make_customers(as_frame="polars")
    >>> model = segment_table(customers, components=[3]).model
    >>> sites = [site_statistics(model, customers[:150]), site_statistics(model, customers[150:])]
    >>> merge_statistics(model, sites).names == model.names
    True
    """
    site = add_statistics(model, sites)
    statistics = site.statistics
    mixture, _ = model_to_learn(model, statistics).maximize(statistics.components, model.mixture)
    mixture = mixture.refined()
    after = statistics.about(model.mixture, mixture)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    addition = Addition("merged", ", ".join(site.sources), now, site.rows, 0.0)
    return replace(
        model,
        mixture=mixture,
        statistics=after,
        reference=None,
        training=updated_training(model, addition, after, mixture),
        anomaly_threshold=_threshold(model, statistics.log_likelihood / statistics.weight),
        mixtura_version=version("mixtura"),
    )


def _threshold(model: SegmentModel, mean: float) -> float | None:
    """Return the threshold of anomalies, as far below the mean log density of the rows as it was before."""
    if model.anomaly_threshold is None or not model.training.rows:
        return model.anomaly_threshold
    weight = float(model.training.rows) if model.statistics is None else model.statistics.weight
    return model.anomaly_threshold + mean - model.training.log_likelihood / weight


def add_statistics(model: SegmentModel, sites: Sequence[SiteStatistics]) -> SiteStatistics:
    """Return the sums of several sites as those of one, such as a region.

    Raises
    ------
    DataError
        Sums are about another model, or two are the same.
    ParameterError
        There are no sums.
    """
    if not sites:
        raise ParameterError("`statistics` must be the sums of at least one site; got none.")
    require_single_components(model.groups, "Adding statistics")
    known = describe_model(model)
    seen: dict[str, str] = {}
    for one in sites:
        name = ", ".join(one.sources)
        _require_same(known, one, name)
        _require_new(one, name, seen)
        seen |= dict.fromkeys(one.fingerprints, name)
    return replace(
        sites[0],
        sources=tuple(source for one in sites for source in one.sources),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        rows=sum(one.rows for one in sites),
        statistics=reduce(add, (one.statistics for one in sites)),
        parts=tuple(seen) if len(seen) > 1 else (),
    )


def _require_new(site: SiteStatistics, name: str, seen: dict[str, str]) -> None:
    """Raise `DataError` where sums, or some of those that they are made of, are among those seen, by fingerprint."""
    known = next((seen[one] for one in site.fingerprints if one in seen), None)
    if known is None:
        return
    if known == name:
        raise DataError(
            f"The statistics of {name!r} are given twice: their rows would count twice. Give each file once."
        )
    raise DataError(
        f"The statistics of {name!r} and of {known!r} have a table in common: its rows would count twice. Give sums of "
        "a region, or those of the sites that it is made of."
    )


def _require_same(known: dict[str, object], site: SiteStatistics, name: str) -> None:
    differ = [key for key in _SAID if known[key] != site.about[key]]
    if not differ:
        return
    first = differ[0]
    values = ""
    if first not in {"means", "scaling", "model"}:
        values = f", {_text(site.about[first])} instead of {_text(known[first])}"
    raise DataError(
        f"The statistics of {name!r} are about another model: its {_SAID[first]} differ{values}. All sites must have "
        f"used this very model file, of {known['created']}; theirs is of {site.about['created']}. Gather them again "
        "with it: mixtura update MODEL TABLE."
    )


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
