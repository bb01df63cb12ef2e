"""The parts of the document that describe the segments and all customers."""

from __future__ import annotations

from typing import Literal

from mixtura.segments.profiles.leading_level import leading_level
from mixtura.segments.results.document_base import Number, Part

__all__ = [
    "CategoryPart",
    "KindPart",
    "LeftOutPart",
    "LevelPart",
    "NumericPart",
    "PopulationLevelPart",
    "PopulationPart",
    "SegmentPart",
    "StatisticsPart",
    "TypicalPart",
    "ValuePart",
]

_FIRST_YEAR, _LAST_YEAR = 1850, 2100


class LeftOutPart(Part):
    """A column that is not active."""

    column: str
    """Name of the column."""
    reason: str
    """Why."""


class KindPart(Part):
    """What a column that builds the segments is taken for."""

    column: str
    """Name of the column."""
    kind: str
    """`continuous`, `spike` (an amount with point masses), `count`, `category` or `ordered`."""
    reason: str
    """Why."""


class StatisticsPart(Part):
    """A numeric column, in its own units."""

    count: int
    """Customers with a value."""
    missing: int
    """Customers without."""
    mean: Number
    """Mean."""
    sd: Number
    """Standard deviation."""
    minimum: Number
    """Smallest value."""
    q1: Number
    """First quartile."""
    median: Number
    """Median."""
    q3: Number
    """Third quartile."""
    maximum: Number
    """Largest value."""
    iqr: Number
    """Interquartile range."""

    @property
    def has_years(self) -> bool:
        """Whether the values read as years, such as 1975: whole numbers from 1850 to 2100, as far as is known."""
        known = [self.minimum, self.q1, self.median, self.q3, self.maximum]
        return all(one is not None and _FIRST_YEAR <= one <= _LAST_YEAR for one in known) and all(
            float(one).is_integer() for one in (self.minimum, self.maximum) if one is not None
        )


class DistinctnessPart(Part):
    """How well a column alone separates a segment from the other customers."""

    overlap: Number
    """Overlap of its distributions in the segment and among the others, from 0 (apart) to 1 (the same)."""
    divergence_bits: Number
    """Jensen-Shannon divergence of the segment from all customers, in bits."""
    distinctness: Number
    """From 0, as among all customers, to 100: this column alone identifies the segment."""


class NumericPart(StatisticsPart, DistinctnessPart):
    """A numeric column in one segment."""

    column: str
    """Name of the column."""
    role: Literal["active", "descriptive", "value"]
    """Active columns build the segments, descriptive ones only describe them, the value says what customers are
    worth."""
    difference: Number
    """Mean of the segment minus mean of all customers, in standard deviations of all customers; of a transformed active
    column, of the transformed values."""
    cohens_d: Number
    """Cohen's d against the customers of the other segments."""


class PopulationLevelPart(Part):
    """A level of a categorical column among all customers."""

    level: str
    """The value, as text."""
    count: int
    """Customers with it."""
    share: Number
    """Their share."""


class LevelPart(PopulationLevelPart):
    """A level of a categorical column in one segment."""

    population_share: Number
    """Share of all customers with this level."""
    lift: Number
    """`share` divided by `population_share`."""


class CategoryPart(DistinctnessPart):
    """A categorical column in one segment."""

    column: str
    """Name of the column."""
    levels: list[LevelPart]
    """Its levels."""

    @property
    def leading_level(self) -> LevelPart:
        """The level that says most of the segment: that many of its customers have, and few others."""
        return leading_level(self.levels)


class ValuePart(Part):
    """What customers are worth."""

    column: str
    """Name of the column."""
    total: Number
    """Sum over the customers."""
    share: Number
    """Their part of the total of all customers."""
    mean: Number
    """Per customer."""
    median: Number
    """Per customer."""
    index: Number
    """`mean` divided by that of all customers."""
    missing: int
    """Customers whose value is missing."""


class TypicalPart(Part):
    """A typical customer of a segment."""

    customer: str
    """Its id."""
    row: int
    """Of the table, from 0."""
    log_density: Number
    """Of the segment's component, on transformed and standardized columns, in nats."""
    values: dict[str, Number]
    """By active column; null where it is missing."""


class SegmentPart(Part):
    """A segment."""

    number: int
    """From 1, the largest segment first."""
    name: str
    """Automatic, or the user's."""
    count: int
    """Customers for whom this segment is the most probable."""
    share: float
    """Their share of all customers in a segment, by weight."""
    share_interval: tuple[float, float]
    """95 % bootstrap interval of `share`."""
    weight: float
    """Mixing weight: the share when each customer counts with its membership."""
    mean_certainty: Number = None
    """Mean certainty of its customers, by weight; null in files of format 2."""
    effective_base: Number = None
    """Effective number of its customers, see `population`. Null in files of earlier versions."""
    means: dict[str, float]
    """Mean by active column; the center of the component where the segment has no customers."""
    differences: dict[str, Number]
    """By active column: the mean minus that of all customers, in standard deviations of all customers."""
    value: ValuePart | None
    """Null without a value column."""
    distinguishing: list[str]
    """Names of all columns, the most distinguishing first."""
    numbers: list[NumericPart]
    """Numeric columns, the most distinguishing first."""
    categories: list[CategoryPart]
    """Categorical columns, the most distinguishing first."""
    typical: list[TypicalPart]
    """The most typical customers: members at which the density of the segment's component is highest."""


class IndexCellPart(Part):
    """A segment in a row of the index table."""

    value: Number
    """Mean, or share."""
    index: Number
    """100 times it over that of all customers."""
    base: Number
    """Effective number of customers with a value."""
    above: list[int]
    """Numbers of the segments whose value is significantly lower."""
    against_rest: int
    """1 where it is significantly above that of all other customers, -1 below, else 0."""


class IndexRowPart(Part):
    """A row of the index table."""

    column: str
    """Name of the column."""
    level: str | None
    """Level whose share is compared; null for the mean of a numeric column."""
    active: bool
    """Whether the column builds the segments, which then differ by construction."""
    population: Number
    """Mean or share among all customers."""
    cells: list[IndexCellPart]
    """By segment."""


class IndexTablePart(Part):
    """Each segment against the total and against the others."""

    alpha: float
    """Level of significance. Within a row p-values are adjusted by Holm's method."""
    least_base: float
    """Effective base below which nothing is tested."""
    rows: list[IndexRowPart]
    """By numeric column, then by level of each categorical one."""


class PopulationPart(Part):
    """All customers that are in a segment."""

    count: int
    """Their number."""
    total_weight: float
    """Sum of their weights; `count` without a weight column."""
    effective_base: Number = None
    """Effective number of customers, `(sum w)^2 / sum w^2` of their weights (Kish 1965): how many customers of equal
    weight would estimate a share as precisely. Null in files of earlier versions."""
    value: ValuePart | None
    """Null without a value column."""
    numbers: dict[str, StatisticsPart]
    """By numeric column."""
    categories: dict[str, list[PopulationLevelPart]]
    """By categorical column."""
    index_table: IndexTablePart | None = None
    """Each segment against the total, with significant differences. Null in files of earlier versions."""
