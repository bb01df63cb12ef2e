"""The parts of the document that say how sure the segments are: certainty, overlap, K-means, stability."""

from __future__ import annotations

from mixtura.segments.results.document_base import Matrix, Number, Part

__all__ = [
    "AmbiguousPart",
    "AnomaliesPart",
    "CertaintyPart",
    "ColumnRolePart",
    "KMeansPart",
    "LeastCertainPart",
    "OverlapPart",
    "SelectionPart",
    "StabilityPart",
]


class ColumnRolePart(Part):
    """A column, and what it is to the segments."""

    column: str
    """Name of the column."""
    role: str
    """`building`, `redundant` (it follows from building ones) or `noise` (it is independent of the segments)."""
    evidence: Number
    """BIC if it does not build less BIC if it does: positive where it builds, above 10 very strong. Null: not known."""
    explained_by: list[str]
    """Of a redundant column: the building columns that it follows from."""
    explained: float
    """Share of its variance that these explain."""
    stability: Number
    """Share of resamples in which it has the same role."""
    why: str
    """What speaks for the role, in words."""


class SelectionPart(Part):
    """Which columns build the segments."""

    columns: list[ColumnRolePart]
    """Every column that might have built them: those that do first, then redundant ones, of each the clearest first."""
    rows: int
    """Rows that were looked at."""
    resamples: int
    """Resamples for the stability."""


class BandPart(Part):
    """A range of certainty."""

    lower: float
    """Certainty from."""
    upper: float
    """Certainty to."""
    count: int
    """Customers."""
    share: Number
    """Their share, by weight."""


class ConfusionPart(Part):
    """Two segments that are easily confused."""

    assigned: int
    """Number of the segment to which customers are assigned."""
    belongs: int
    """Number of the segment to which some of them are expected to belong."""
    share: float
    """Their share."""


class ClassificationPart(Part):
    """Classification statistics, as Latent GOLD prints them; null with a single segment but for the errors."""

    errors: float
    """Classification errors: share of the customers expected in the wrong segment."""
    reduction_of_errors: Number
    """Lambda: by how much the errors are fewer than those of putting all in the largest segment."""
    entropy_r2: Number
    """Entropy R-squared: 1 minus the mean entropy of memberships over the entropy of their means."""
    standard_r2: Number
    """Standard R-squared: the same with the sum of squares in place of the entropy."""
    table: Matrix
    """(K, K): customers assigned to a segment (row) by the segment to which they are expected to belong (column), by
    weight."""


class CertaintyPart(Part):
    """How certain the memberships of all customers are. A customer's certainty is its largest membership."""

    names: list[str]
    """Of the K segments."""
    n_customers: int
    """Customers with memberships."""
    total_weight: float
    """Sum of their weights."""
    mean_entropy: float
    """Mean entropy of the memberships, in nats."""
    normalized_entropy: float
    """`mean_entropy` divided by log K, from 0 to 1."""
    edges: list[float]
    """Edges of the bins of `histogram`."""
    histogram: list[float]
    """Customers per bin of certainty, by weight."""
    quantiles: dict[str, float]
    """Of certainty."""
    mean_certainty: float
    """Mean certainty."""
    threshold: float
    """Customers whose certainty is below are ambiguous."""
    n_ambiguous: int
    """Their number."""
    ambiguous_share: float
    """Their share, by weight."""
    ambiguity_matrix: Matrix
    """(K, K): ambiguous customers between each two segments, by weight."""
    confusion: Matrix
    """(K, K): share of the customers assigned to a segment (row) who are expected to belong to another (column)."""
    most_confused: list[ConfusionPart]
    """The largest entries of `confusion` off the diagonal."""
    expected_error: float
    """Share of all customers expected to belong to another segment than the one they are assigned to."""
    bands: list[BandPart]
    """Customers by certainty."""
    classification: ClassificationPart | None = None
    """Classification statistics. Null in files of earlier versions."""


class AmbiguousCustomerPart(Part):
    """A customer between two segments."""

    customer: str
    """Its id."""
    row: int
    """Of the table, from 0."""
    first: int
    """Number of the most probable segment."""
    second: int
    """Number of the next; -1 where an outlier is more probable than any other segment."""
    first_membership: float
    """Membership in the first."""
    second_membership: float
    """Membership in the second, or the probability of an outlier."""
    anomaly: bool
    """Whether it is also an anomaly."""


class AmbiguousPart(Part):
    """Customers between segments."""

    below: float
    """Customers whose certainty is below are listed."""
    count: int
    """Their number."""
    share: Number
    """Their share, by weight."""
    customers: list[AmbiguousCustomerPart]
    """At most 300, the least certain first."""


class LeastCertainPart(Part):
    """One of the least certain customers."""

    customer: str
    """Its id."""
    row: int
    """Of the table, from 0."""
    first: int
    """Number of the most probable segment."""
    second: int
    """Number of the next; -1 where an outlier is more probable than any other segment."""
    memberships: list[float]
    """By segment."""
    kmeans_segment: int | None
    """Number of the segment that the customer's K-means cluster matches."""


class DriverPart(Part):
    """A column that makes a customer an anomaly."""

    column: str
    """Name of the column."""
    value: float
    """Of the customer."""
    share: float
    """Its part of the squared distance from the segments."""
    expected: Number = None
    """What is normal for a customer of the nearest segment with such other values; null in earlier versions."""


class AnomalyPart(Part):
    """An anomaly."""

    customer: str
    """Its id."""
    row: int
    """Of the table, from 0."""
    log_density: Number
    """Per unit of the table's columns, in nats."""
    segment: int
    """Number of the most probable segment."""
    outlier: bool = False
    """Whether it is in no segment, also not in that one."""
    certainty: float
    """Its membership there."""
    drivers: list[DriverPart]
    """All active columns, the one with the largest part first."""


class AnomaliesPart(Part):
    """Customers whom the mixture hardly expects."""

    percentile: float
    """Percent of customers that the threshold was set for; 0 for none."""
    log_density_threshold: Number
    """Log density below which a customer is an anomaly; null for none."""
    count: int
    """Number of anomalies."""
    share: Number
    """Their share of all customers, by weight."""
    customers: list[AnomalyPart]
    """At most 1,000, those of the lowest density first."""


class OverlapPart(Part):
    """How much the components overlap, whatever customers there are (Maitra and Melnykov 2010)."""

    names: list[str]
    """Of the K segments."""
    conditional: Matrix
    """(K, K): probability that a customer of a segment (row) looks more like one of another (column)."""
    confusion: Matrix
    """(K, K): probability that a customer of a segment (row) is assigned to another (column)."""
    pairwise: Matrix
    """(K, K): `conditional` in both directions, added."""
    error_rate: float
    """Of the best possible assignment."""
    draws: int
    """Rows drawn from each component."""
    standard_error: float
    """Of each entry, at most."""
    seed: int
    """Of the draws."""


class SplitPart(Part):
    """A segment that K-means splits."""

    segment: int
    """Number of the segment."""
    clusters: list[int]
    """Clusters that take a quarter of it or more, by the number of the segment each matches."""
    shares: list[float]
    """Of the segment's customers, by cluster."""
    axis_ratio: float
    """Longest to shortest principal axis of the segment, on standardized columns."""


class MergedPart(Part):
    """Segments that K-means merges."""

    cluster: int
    """The cluster, by the number of the segment that it matches."""
    segments: list[int]
    """Numbers of the segments."""
    shares: list[float]
    """Of each segment's customers, in the cluster."""


class KMeansPart(Part):
    """Comparison with K-means with as many clusters, on the same columns."""

    names: list[str]
    """Of the K segments."""
    table: Matrix
    """(K, K): customers by segment (row) and matched cluster (column), by weight."""
    agreement: float
    """Share of the customers whom both assign to the same segment, by weight."""
    adjusted_rand: Number
    """Adjusted Rand index (Hubert and Arabie 1985)."""
    n_moved: int
    """Customers whom K-means assigns to another segment."""
    certainty_moved: Number
    """Mean certainty of these."""
    certainty_retained: Number
    """Mean certainty of the others."""
    silhouette_mixture: Number
    """Mean silhouette width of the segments."""
    silhouette_kmeans: Number
    """Mean silhouette width of the clusters."""
    silhouette_rows: int
    """Customers for whom it was computed."""
    silhouette_sampled: bool
    """Whether these are a sample."""
    axis_ratio: list[float]
    """By segment: longest to shortest principal axis, on standardized columns."""
    split: list[SplitPart]
    """Segments that K-means splits."""
    merged: list[MergedPart]
    """Segments that K-means merges."""
    sentences: list[str]
    """The comparison in words."""


class NumberStabilityPart(Part):
    """How stable a number of segments is."""

    n_segments: int
    """The number."""
    adjusted_rand: Number
    """Mean adjusted Rand index between resamples (Dolnicar and Leisch 2010)."""
    lower: Number
    """5th percentile."""
    upper: Number
    """95th percentile."""
    n_bootstraps: int
    """Resamples to which a mixture could be fitted."""


class SegmentStabilityPart(Part):
    """How stable a segment is."""

    number: int
    """Of the segment."""
    name: str
    """Of the segment."""
    jaccard: Number
    """Mean Jaccard similarity to the most similar segment of a resample (Hennig 2007)."""
    lower: Number
    """5th percentile."""
    upper: Number
    """95th percentile."""
    recovered: Number
    """Share of the resamples with a similarity of 0.75 or more."""
    dissolved: Number
    """Share of the resamples with a similarity of 0.5 or less."""
    word: str
    """`highly stable`, `stable`, `a pattern` or `unstable`."""


class TransitionPart(Part):
    """Where customers go when there is one segment more."""

    from_names: list[str]
    """Of the segments before."""
    to_names: list[str]
    """Of the segments after."""
    counts: Matrix
    """Customers by segment before (row) and after (column), by weight."""
    retention: Number
    """Share of the customers who stay in the segment that matches their own."""


class StabilityPart(Part):
    """Whether resampled customers give the same segments."""

    verdict: str
    """`natural`, `reproducible`, `partly reproducible`, `constructed` or `single`."""
    explanation: str
    """What that means."""
    reason: str
    """The numbers behind it, in a sentence."""
    n_segments: int
    """Number of segments."""
    overall: NumberStabilityPart
    """Stability of this number of segments."""
    numbers: list[NumberStabilityPart]
    """Of this and neighboring numbers."""
    segments: list[SegmentStabilityPart]
    """By segment."""
    expected_error: float
    """Share of the customers expected to belong to another segment than the one they are assigned to."""
    transitions: list[TransitionPart]
    """From one segment fewer, and to one more, as far as these mixtures were fitted."""
    n_rows: int
    """Customers with a weight above zero."""
    n_rows_used: int
    """Customers who were resampled."""
    n_bootstraps: int
    """Number of resamples."""
    n_init: int
    """Starts for each."""
    seed: int
    """Of the resamples."""
    sampled: bool
    """Whether a sample of the customers was resampled."""
