"""The document of a segmentation: everything that terminal, page, workbook and ``summary.json`` show, versioned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError

from mixtura.exceptions import DataError
from mixtura.segments.known.document_part import KeptPart, KnownPart
from mixtura.segments.merging.merging_part import MergingPart
from mixtura.segments.results.document_base import Number, Part
from mixtura.segments.results.document_checks import (
    AmbiguousPart,
    AnomaliesPart,
    CertaintyPart,
    KMeansPart,
    LeastCertainPart,
    OverlapPart,
    SelectionPart,
    StabilityPart,
)
from mixtura.segments.results.document_profiles import KindPart, LeftOutPart, PopulationPart, SegmentPart
from mixtura.segments.results.upgrade_document import FORMAT, FORMAT_VERSION, upgraded

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "CandidatePart",
    "ChoicePart",
    "ContenderPart",
    "Document",
    "LeftOutPart",
    "TablePart",
    "TransformPart",
    "VerdictPart",
]


class TablePart(Part):
    """The table and the roles of its columns."""

    source: str
    """Name of the table."""
    rows: int
    """Number of rows."""
    rows_unassigned: int
    """Rows in no segment: no column used has a value there, or where it was asked for, one has none."""
    outliers: int = 0
    """Rows in no segment: they lie far from all."""
    in_database: bool = False
    """Whether the rows stay in a database: a sample of them is described, and `segments.sql` assigns them there."""
    id_column: str | None
    """Column that names customers; null for the row number."""
    active: list[str]
    """Columns of numbers that build the segments."""
    descriptive: list[str]
    """Columns that only describe them."""
    value_column: str | None
    """Column that says what a customer is worth."""
    weight_column: str | None
    """Column that says how much a customer counts."""
    left_out: list[LeftOutPart]
    """Columns that are not active."""
    discrete: list[str] = Field(default_factory=list)
    """Columns of counts and categories that build the segments, too. Empty in files of earlier versions."""
    kinds: list[KindPart] = Field(default_factory=list)
    """By column that builds the segments; empty where only numbers were asked for, and in files of earlier versions."""
    column_labels: dict[str, str] = Field(default_factory=dict)
    """What columns hold, in words, such as the question of a survey; of columns in use that the file has a label of."""


class CandidatePart(Part):
    """A model that was tried."""

    covariance_type: str
    """Covariance type."""
    n_components: int
    """Number of components: that of segments, unless they were merged."""
    n_parameters: int
    """Number of free parameters."""
    log_likelihood: Number
    """Total, in the units of the table."""
    criteria: dict[str, Number]
    """`bic`, `aic`, ...: smaller is better. With cross-validation also `cv` and `cv_standard_error`."""
    n_iter: int
    """Iterations."""
    converged: bool
    """Whether the fit converged."""
    outcome: str | None
    """How the fit ended; null where there is no fit."""
    failure: str | None
    """Why there is no fit."""
    cv_failure: str | None = None
    """Why there is no score of cross-validation."""
    excluded: bool | None = None
    """Whether it has a smaller criterion than the chosen one and may not be chosen. Null in files of format 2."""
    exclusion: str | None = None
    """Why it may not be chosen, whatever its criterion: `degenerate`, `too few customers` in a segment, or a `small
    segment`; null where it may."""
    smallest_share: Number = None
    """Expected share of the customers in its smallest segment."""

    def criterion(self, name: str) -> float | None:
        """Return the value of a criterion; None where there is none."""
        return self.criteria.get(name)


class ContenderPart(Part):
    """A model that was compared with others by its stability."""

    covariance_type: str
    """Covariance type."""
    n_components: int
    """Number of segments."""
    separation: Number
    """By how many standard errors its criterion exceeds the smallest."""
    adjusted_rand: float
    """Mean agreement of the segments of resamples."""
    least_jaccard: float
    """Similarity of the least stable segment to its counterpart in resamples."""


class ChoicePart(CandidatePart):
    """The chosen model."""

    criterion_name: str
    """The criterion of choice."""
    seed: int
    """Of everything random."""
    n_init: int
    """Starts per model."""
    n_folds: int | None = None
    """Folds of the cross-validation."""
    min_share: float = 0.0
    """Least share of the customers in a segment that was asked for."""
    minimum: bool | None = None
    """Whether it has the smallest criterion of those that were not excluded. Null in files of format 2."""
    rule: str | None = None
    """What decided: `minimum` of the criterion; the same of models whose `covariance type` has the smallest MMDL;
    `one standard error`, the fewest parameters within it; or `stability` among numbers of segments that the criterion
    does not separate. Null in files of format 2."""
    robust: str = "none"
    """What the model has against outliers: `noise`, who belong to no segment, `t` components with heavier tails, or
    `none`."""
    robust_reason: str | None = None
    """What the criterion said of it; null where it was not to decide."""
    outlier_share: float = 0.0
    """Expected share of outliers."""
    degrees_of_freedom: list[float] = Field(default_factory=list)
    """Of each segment, where they are t distributions."""
    determined: bool = True
    """Whether the table determines a number of segments: not so if the criterion falls up to the most that were tried
    and resamples do not give as many again."""
    compared: list[ContenderPart] = Field(default_factory=list)
    """Models compared by stability, the smallest criterion first; none where the criterion alone decided."""


class TransformPart(Part):
    """What is done to an active column before it is standardized."""

    column: str
    """Name of the column."""
    kind: str
    """`none`, `log1p`, `yeo-johnson` or `winsorize`."""
    parameters: dict[str, Number]
    """Of the transform."""
    advised: str
    """What the rule of `transform="auto"` recommends."""
    share_zero: Number
    """Share of customers with exactly zero."""
    skewness: Number
    """Before."""
    skewness_transformed: Number
    """After the recommended transform."""
    reason: str
    """Why it is recommended."""


class VerdictPart(Part):
    """The result in a few numbers."""

    segments: int
    """Number of segments."""
    customers: int
    """Customers in a segment."""
    customers_left_out: int
    """Customers in none."""
    mean_certainty: float
    """Mean largest membership."""
    expected_error: float
    """Share of the customers expected to belong to another segment than the one they are assigned to."""
    n_ambiguous: int
    """Customers whose certainty is below 0.6."""
    ambiguous_share: float
    """Their share, by weight."""
    stability: str | None
    """`natural`, `reproducible`, `partly reproducible`, `constructed`, `single`, or null where it was not measured."""
    stability_explanation: str | None
    """What that means."""
    adjusted_rand: Number
    """Mean agreement of the segments of resamples."""
    clusters: bool | None = None
    """Whether there are separate clusters, by the tests of `mixtura advise`; null where it was not tested, as with a
    single segment."""
    clusters_explanation: str | None = None
    """What the tests say, and what it means for the segments."""
    least_stable: str | None = None
    """Name of the least stable of several segments."""
    least_jaccard: Number = None
    """Its mean similarity to its counterpart in resamples: below 0.6 it is unstable."""


class DegeneratePart(Part):
    """A degenerate model."""

    covariance_type: str
    """Covariance type."""
    n_components: int
    """Number of components."""
    why: list[str]
    """A sentence for each degenerate component."""


class NormalityPart(Part):
    """Whether a segment looks like a Gaussian component."""

    segment: int
    """Number of the segment."""
    rows: int
    """Customers looked at."""
    skewness: Number
    """Mardia's multivariate skewness."""
    skewness_p: Number
    """Its p-value."""
    kurtosis: Number
    """Mardia's multivariate kurtosis."""
    kurtosis_normal: float
    """Its value for a Gaussian."""
    kurtosis_p: Number
    """Its p-value."""
    energy_p: Number
    """p-value of the energy test of Székely and Rizzo."""
    rejected: bool
    """Whether normality is rejected at 5 %, corrected for the number of segments."""


class ResidualPart(Part):
    """What the model leaves unexplained of two discrete columns, which it takes as independent within segments."""

    first: str
    """Name of a column."""
    second: str
    """Name of another."""
    residual: float
    """Chi-square of the observed against the expected table, over its degrees of freedom: about 1 is expected."""
    chi_square: float
    """Pearson's chi-square."""
    freedom: int
    """Degrees of freedom."""
    strength: float
    """Cramer's V of what is left; it does not grow with the number of customers."""
    is_large: bool
    """Whether the columns depend on each other by more than chance, and strongly enough to matter."""


class DiagnosticsPart(Part):
    """How the fits ended, and what speaks against the model."""

    outcomes: dict[str, str]
    """What each outcome of a fit means."""
    excluded: int
    """Models with a smaller criterion that were not chosen: degenerate, or with a segment of a few outliers."""
    degenerate: list[DegeneratePart]
    """Degenerate models, the best criterion first."""
    normality: list[NormalityPart]
    """By segment with enough customers."""
    free_parameters: int
    """Of the chosen model."""
    rows_per_parameter: float
    """Total weight of the customers for each parameter."""
    residuals: list[ResidualPart] = Field(default_factory=list)
    """Of each two discrete columns, the largest first, at most 100. Empty in files of earlier versions."""


class Document(Part):
    """Everything that is known of a segmentation, in the units of the table. What there is not is null.

    With a weight column every share, mean, quantile and table is weighted, as if each row stood there as often as its
    weight says. Numbers of customers (`count`, `missing`, `rows`, `customers`, `n_customers`, `n_ambiguous`, `n_moved`,
    `n_rows`, `n_rows_used`) are those in the list.
    """

    model_config = ConfigDict(title="mixtura summary")

    format: Literal["mixtura-summary"]
    """Always the same."""
    format_version: Literal[3]
    """3; later versions of mixtura read earlier formats."""
    mixtura_version: str
    """The version that wrote it."""
    table: TablePart
    """The table and the roles of its columns."""
    verdict: VerdictPart
    """The result in a few numbers."""
    choice: ChoicePart
    """The chosen model."""
    transforms: list[TransformPart]
    """By active column."""
    population: PopulationPart
    """All customers that are in a segment."""
    segments: list[SegmentPart]
    """The segments by number: the largest first, but for those that are kept, or known by their numbers."""
    certainty: CertaintyPart
    """How certain the memberships are."""
    ambiguous: AmbiguousPart
    """Customers between segments."""
    least_certain: list[LeastCertainPart]
    """The five least certain customers; none with a single segment."""
    anomalies: AnomaliesPart
    """Customers whom the mixture hardly expects."""
    overlap: OverlapPart
    """How much the components overlap."""
    kmeans: KMeansPart
    """Comparison with K-means."""
    stability: StabilityPart | None
    """Whether resampled customers give the same segments; null where it was not measured."""
    candidates: list[CandidatePart]
    """Every model tried, the best criterion first; those that could not be fitted come last."""
    diagnostics: DiagnosticsPart
    """How the fits ended, and what speaks against the model."""
    notes: list[str]
    """Sentences for the user."""
    selection: SelectionPart | None
    """Which columns build the segments; null where that was not asked, and in files of earlier versions."""
    known: KnownPart | None
    """Customers whose segment is known; null where none are, and in files of earlier versions."""
    kept: KeptPart | None
    """Segments that were kept; null where none were, and in files of earlier versions."""
    merging: MergingPart | None
    """How much components overlap, and which were merged; null in files of earlier versions."""
    seconds: float
    """From the call to the fitted segmentation."""

    @property
    def are_merged(self) -> bool:
        """Whether segments are made of several components, so that models count those and not segments."""
        return self.verdict.segments != self.choice.n_components

    @property
    def counted(self) -> str:
        """What the models that were tried have several of: a ``segment``, or a ``component`` where some are merged."""
        return "component" if self.are_merged else "segment"

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """Check a document given as a dict, and bring it to this format where it is of an earlier one.

        Raises
        ------
        DataError
            It is not a document of mixtura, is of a newer format, or lacks something.
        """
        try:
            return cls.model_validate(upgraded(content))
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise DataError(
                f"The summary is not consistent: {where}: {first['msg']}. A summary.json of mixtura is required."
            ) from error

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a ``summary.json``.

        Raises
        ------
        DataError
            It is not readable, not a document of mixtura, of a newer format, or lacks something.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(
                f"{str(path)!r} cannot be read as JSON ({error}). A summary.json that mixtura wrote is required. "
                "Write it again."
            ) from error
        return cls.of(content)

    def to_dict(self) -> dict[str, Any]:
        """Return numbers, texts, lists and dicts only."""
        return self.model_dump(mode="json")
