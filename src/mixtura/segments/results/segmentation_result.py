"""The result of a segmentation: what was fitted, and what follows from it, computed when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.core.parts.known_labels import with_known, without_known
from mixtura.core.protocols import MixedRows, RowTable
from mixtura.exceptions import MixturaError
from mixtura.segments.certainty.ambiguous import AmbiguousCustomer, ambiguous_of, customers_at
from mixtura.segments.certainty.certainty import Certainty
from mixtura.segments.certainty.overlap import Overlap, component_overlap
from mixtura.segments.certainty.pair_residuals import PairResidual
from mixtura.segments.comparison.kmeans_comparison import (
    KMeansComparison,
    compare_with_kmeans,
    nearest_clusters,
)
from mixtura.segments.known.kept_segments import KeptSegments
from mixtura.segments.known.known_segments import KnownSegments
from mixtura.segments.large.whole_table import WholeTable
from mixtura.segments.merging.segment_merging import SegmentMerging, merging_of_model
from mixtura.segments.model.assign import Assignment
from mixtura.segments.model.candidate_choice import Exclusion, excluded
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.profiles.profile import Population, SegmentProfile
from mixtura.segments.results.effort import Effort
from mixtura.segments.results.notes import notes_of
from mixtura.segments.stability.model_choice import ModelChoice
from mixtura.segments.stability.stability import SAMPLE_ROWS, assess_stability
from mixtura.segments.stability.stability_measures import Stability
from mixtura.segments.table.columns import ColumnChoice
from mixtura.segments.transforms.recommend_transform import TransformAdvice
from mixtura.select import Candidate, ColumnSelection, Merging
from mixtura.select.model_search.ranking import first_not_excluded

if TYPE_CHECKING:
    from mixtura.segments.advice.cluster_verdict import ClusterVerdict
    from mixtura.segments.advice.evidence.quick_fit import ComponentNormality
    from mixtura.segments.results.document import Document

__all__ = ["SegmentationResult"]

_LEAST_CERTAIN = 5

_OF_EFFORT = {"resamples": {"stability"}, "draws": {"overlap"}, "points": {"kmeans", "least_certain"}}
"""What is computed again when a part of the effort changes."""

_DOCUMENTS = frozenset({"document", "outline"})


@dataclass(frozen=True, eq=False)
class SegmentationResult:
    """The segments of a table, and all that is known of them.

    What one pass over the rows gives is given; what takes more is computed when it is first used, and kept.

    Parameters
    ----------
    model : SegmentModel
        Assigns customers, these and later ones.
    columns : ColumnChoice
    rows : ndarray of shape (n_complete, D)
        The numbers the segments were made from, in the user's units.
    assignment : Assignment
        One entry per row of the table.
    ranking : tuple of Candidate
        All models tried, the best by the criterion first; log-likelihood and criteria in the user's units. Those that
        could not be fitted come last.
    best : Candidate
        The model that was chosen: the first of the ranking that is not excluded. With ``criterion="cv"`` it is the one
        of fewest parameters within one standard error of that first one.
    seconds : float
        From the call to the result.
    segments : tuple of SegmentProfile
        The largest first.
    population : Population
        All customers that are in a segment, with whom the segments are compared.
    certainty : Certainty
        How certain the memberships of all customers are.
    uncertain_rows : ndarray of row numbers
        Of the table, from 0: the least certain customers, at most three hundred.
    weights : ndarray of shape (n_complete,) or None
        How much each customer counts; None without a weight column.
    values : ndarray of shape (n_complete,) or None
        What each customer is worth, NaN where it is missing; None without a value column.
    advice : tuple of TransformAdvice, length D
        Which columns the rule of ``transform="auto"`` would transform, whether or not they were.
    table_notes : tuple of str, default=()
        What was noticed when the table was prepared.
    ids_repeat : bool, default=False
        Whether customers have the same id.
    choice : ModelChoice or None, default=None
        How it was chosen among the models that were not excluded.
    exclusions : mapping of Candidate to Exclusion, default={}
        Why models of the ranking could not be chosen.
    min_share : float, default=0
        Least share of the customers in a segment that was asked for.
    interrupted : bool, default=False
        Whether models were left out because the search was interrupted.
    levels : ndarray of shape (n_complete, J) or None, default=None
        Of the discrete columns.
    residuals : tuple of PairResidual, default=()
        How far each two discrete columns depend within segments, the largest first.
    whole : WholeTable or None, default=None
        What is known of all rows of a table that is not held in memory. Then `rows`, `weights` and `assignment` are of
        a sample of it; `segments`, `population` and `certainty` are of all rows.
    outlier_rows : ndarray of shape (n_outliers, D), or MixedRows, or None, default=None
        The numbers of those who are in no segment because they lie far from all; None where the model has no noise.
    outlier_weights : ndarray of shape (n_outliers,) or None, default=None
    robust_reason : str or None, default=None
        What the criterion said of outliers, where it was to decide.
    selection : ColumnSelection or None, default=None
        Which columns build the segments, where that was asked.
    known : KnownSegments or None, default=None
        What became of customers whose segment is known.
    kept : KeptSegments or None, default=None
        What became of segments that were kept.
    merge : str, int or None, default=None
        What was asked of overlapping components: to be merged as far as they are one group, or to this many segments.
    drop_missing : bool, default=False
        Whether rows that lack a value were left out, or those without any only.
    effort : Effort, optional
        How much is computed for what is estimated by sampling.
    wording : callable, default=str
        From a note that names parameters as Python does to the note as its reader should see it.
    """

    model: SegmentModel
    columns: ColumnChoice
    rows: FloatArray
    assignment: Assignment
    ranking: tuple[Candidate, ...]
    best: Candidate
    seconds: float
    segments: tuple[SegmentProfile, ...]
    population: Population
    certainty: Certainty
    uncertain_rows: IntArray
    weights: FloatArray | None
    values: FloatArray | None
    advice: tuple[TransformAdvice, ...]
    table_notes: tuple[str, ...] = ()
    ids_repeat: bool = False
    choice: ModelChoice | None = None
    exclusions: Mapping[Candidate, Exclusion] = field(default_factory=dict)
    min_share: float = 0.0
    interrupted: bool = False
    levels: IntArray | None = None
    residuals: tuple[PairResidual, ...] = ()
    whole: WholeTable | None = None
    outlier_rows: RowTable | None = None
    outlier_weights: FloatArray | None = None
    robust_reason: str | None = None
    selection: ColumnSelection | None = None
    known: KnownSegments | None = None
    kept: KeptSegments | None = None
    merge: str | int | None = None
    drop_missing: bool = False
    effort: Effort = field(default_factory=Effort)
    wording: Callable[[str], str] = str

    @property
    def table(self) -> RowTable:
        """The rows with their levels, where there are discrete columns."""
        coding = self.model.coding
        if coding is None or self.levels is None:
            return self.rows
        return MixedRows(self.rows, self.levels, coding.discrete)

    @property
    def memberships(self) -> FloatArray:
        """Memberships of the complete rows, shape (n_complete, K)."""
        assignment = self.assignment
        # Where all rows are complete, nothing is copied.
        whole = assignment.complete.all()
        return assignment.memberships if whole else assignment.memberships[assignment.complete]

    @cached_property
    def excluded(self) -> tuple[Candidate, ...]:
        """Models of a smaller criterion that could not be chosen; `exclusions` say why."""
        return excluded(self.ranking, self.best, self.exclusions)

    @property
    def minimum(self) -> Candidate:
        """The first of the ranking that was not excluded: `best`, unless a standard error decided for another."""
        return first_not_excluded(self.ranking, self.excluded)

    @property
    def neighbors(self) -> dict[int, Mixture]:
        """Mixtures of the standardized rows that the search found with one segment fewer and one more, by number.

        Of the family of the model; those that were not tried are missing, and all where components were merged.
        """
        if self.model.groups:
            return {}
        family, k = self.best.covariance_type, self.best.n_components
        return {
            one.n_components: without_known(one.mixture)
            for one in self.ranking
            if one.covariance_type == family and abs(one.n_components - k) == 1 and one.mixture is not None
        }

    @cached_property
    def anomalies(self) -> list[int]:
        """Row numbers (from 0) of the anomalies, the lowest density first."""
        rows = np.flatnonzero(self.assignment.anomaly)
        order = np.argsort(self.assignment.log_density[rows], kind="stable")
        return [int(row) for row in rows[order]]

    @property
    def n_rows(self) -> int:
        """Customers of the table."""
        return self.assignment.n_rows if self.whole is None else self.whole.n_rows

    @property
    def n_complete(self) -> int:
        """Customers of the table who are in a segment."""
        return self.assignment.n_complete if self.whole is None else self.whole.n_complete

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What the user should know: models that were excluded, tiny segments, rows left out, and more."""
        return tuple(map(self.wording, notes_of(self)))

    @cached_property
    def kmeans(self) -> KMeansComparison:
        """What K-means with as many clusters would do differently."""
        return compare_with_kmeans(
            self.model, self.table, self.memberships, weights=self.weights, most=self.effort.points
        )

    @cached_property
    def merging(self) -> Merging:
        """The components merged by the entropy of their memberships (Baudry et al. 2010), see `merge_segments`."""
        return self.segment_merging.merging

    @cached_property
    def segment_merging(self) -> SegmentMerging:
        """How much components overlap that `merging` puts together, and whether they are one group."""
        found = merging_of_model(self.model, self.table, self.memberships, self.weights)
        in_database = self.whole is not None and self.whole.in_database
        return replace(found, may_offer=self.known is None and self.kept is None and not in_database)

    @cached_property
    def least_certain(self) -> tuple[AmbiguousCustomer, ...]:
        """The least certain customers, at most three hundred, however certain they are; none with a single segment."""
        assignment = self.assignment
        if len(assignment.names) < 2:
            return ()
        if self.whole is not None:
            found = self.whole.least_certain
            nearest = nearest_clusters(self.model, self.rows, self.kmeans.labels, found.values)
            return ambiguous_of(found.rows, found.customers, found.memberships, nearest)
        clusters = np.full(assignment.labels.shape, -1)
        clusters[assignment.complete] = self.kmeans.labels
        return customers_at(self.uncertain_rows, assignment.memberships, assignment.customer, clusters)

    @property
    def ambiguous(self) -> tuple[AmbiguousCustomer, ...]:
        """The five least certain customers, however certain they are; none with a single segment."""
        return self.least_certain[:_LEAST_CERTAIN]

    @cached_property
    def overlap(self) -> Overlap:
        """How much the components overlap, whatever customers there are."""
        model = self.model
        return component_overlap(
            model.mixture, model.names, draws=self.effort.draws, seed=model.training.seed, groups=model.groups
        )

    @cached_property
    def stability(self) -> Stability | None:
        """Whether resampled customers give the same segments; None without resamples, or where segments are kept."""
        n_rows, k = min(len(self.rows), SAMPLE_ROWS), self.model.n_segments
        n_bootstraps = self.effort.resamples_of(n_rows, len(self.model.columns), k)
        if n_bootstraps == 0 or self.kept is not None:
            return None
        table = self.table if self.known is None else with_known(self.table, self.known.labels)
        try:
            return assess_stability(
                self.model, table, weights=self.weights, n_bootstraps=n_bootstraps, mixtures=self.neighbors,
                on_resample=self.effort.on_resample, refits=None if self.choice is None else self.choice.refits,
            )  # fmt: skip
        except MixturaError:
            return None

    @cached_property
    def clusters(self) -> ClusterVerdict | None:
        """Whether the customers form separate clusters, by the tests of `advise`.

        None for a single segment, and where discrete columns build segments, too, which the tests do not see.
        """
        from mixtura.segments.advice.cluster_verdict import cluster_verdict

        if self.model.n_segments == 1 or self.model.coding is not None:
            return None
        return cluster_verdict(
            self.rows,
            self.model.mixture,
            self.assignment.labels[self.assignment.complete],
            self.certainty.expected_error,
            seed=self.model.training.seed,
            weights=self.weights,
        )

    @cached_property
    def normality(self) -> tuple[ComponentNormality, ...]:
        """Whether each segment with enough customers looks like a Gaussian component; none where some were merged."""
        from mixtura.segments.advice.evidence.quick_fit import segment_normality

        return segment_normality(self.model, self.rows, self.memberships, self.weights)

    def numbers_of(self, rows: IntArray) -> FloatArray:
        """Return the numbers of some customers, in a segment or outliers, by their row of the table, shape (n, D)."""
        return self.assignment.values_of(rows, self.rows, self.outlier_rows)

    @cached_property
    def document(self) -> Document:
        """Everything that terminal, page, workbook and ``summary.json`` show; `Document.to_dict` gives plain values.

        Raises
        ------
        OptionalDependencyError
            pydantic is not installed.
        """
        return self._document(self.stability, self.clusters)

    @cached_property
    def outline(self) -> Document:
        """The document without stability and clusters, which take longer to measure than all the rest.

        Raises
        ------
        OptionalDependencyError
            pydantic is not installed.
        """
        return self._document(None, None)

    def _document(self, stability: Stability | None, clusters: ClusterVerdict | None) -> Document:
        from mixtura._optional import require_extra

        with require_extra("pydantic", extra="cli", purpose="collect the results in a document"):
            from mixtura.segments.results.build_document import build_document

        return build_document(self, stability, clusters)

    def with_effort(self, effort: Effort) -> Self:
        """Return the same result with another effort; what does not depend on it is kept."""
        changed = {name for name in _OF_EFFORT if getattr(effort, name) != getattr(self.effort, name)}
        if not changed:
            return self
        without = _DOCUMENTS.union(*(_OF_EFFORT[name] for name in changed))
        return self._changed({"effort": effort}, without=without)

    def with_stability(self, stability: Stability | None) -> Self:
        """Return the same result with a stability that was measured otherwise."""
        changed = self._changed({}, without=_DOCUMENTS)
        vars(changed)["stability"] = stability
        return changed

    def with_wording(self, wording: Callable[[str], str]) -> Self:
        """Return the same result with notes for another reader."""
        return self._changed({"wording": wording}, without=_DOCUMENTS | {"notes"})

    def with_model(self, model: SegmentModel) -> Self:
        """Return the same result with a model that names its segments, or knows their mean values."""
        return self._changed({"model": model}, without=_DOCUMENTS)

    def _changed(self, fields: dict[str, Any], *, without: frozenset[str]) -> Self:
        changed = replace(self, **fields)
        held = {name for name, value in vars(type(self)).items() if isinstance(value, cached_property)}
        vars(changed).update({name: vars(self)[name] for name in held & set(vars(self)) - without})
        return changed
