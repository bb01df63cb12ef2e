"""The document of a drift, versioned: what terminal, page and ``drift.json`` show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, ValidationError

from mixtura.exceptions import DataError
from mixtura.segments.results.document_base import Matrix, Number, Part

__all__ = [
    "DRIFT_FORMAT_VERSION",
    "ChangePart",
    "DriftDocument",
    "MoversPart",
    "PeriodPart",
    "RenewalPart",
    "SegmentChangePart",
    "SharePart",
]

DRIFT_FORMAT_VERSION = 1


class SegmentNamePart(Part):
    """A segment of the model."""

    number: int
    """From 1."""
    name: str
    """What it is called."""


class ReferencePart(Part):
    """The customers who are compared with."""

    label: str
    """Table or period that the model was learned from."""
    rows: int
    """Number of rows."""
    held_out: bool
    """Whether each row was evaluated by a model that had not seen it, as new rows are."""
    simulated: bool
    """Whether the rows were drawn from the model, because the model file does not say how its own were spread."""


class ChangePart(Part):
    """A change that chance does not explain."""

    family: str
    """`shares`, `center`, `spread`, `correlation`, `levels`, `likelihood`, `density` or `tail`."""
    cause: str
    """`mix` (other shares), `segments` (they moved) or `fit` (rows that the model does not expect)."""
    segment: int | None
    """Number of the segment; null for all."""
    columns: list[str]
    """The column, or the pair of columns."""
    effect: float
    """How large it is."""
    low: float
    """Lower end of its interval at 95 %."""
    high: float
    """Upper end."""
    unit: str
    """Of the effect."""
    before: Number
    """Mean of the column before, in its own unit; null for other changes. Of transformed columns it is the value that
    has the mean of the transformed ones."""
    after: Number
    """Mean after."""
    p_value: float
    """Of this change alone."""
    p_adjusted: float
    """Of everything that was looked for in the period."""
    matters: bool
    """Whether it is large enough to count for the verdict."""
    sentence: str
    """The same in words."""


class DriftVerdictPart(Part):
    """What is to be done with the model."""

    word: Literal["keep", "update", "refit"]
    """`keep`; `update`: the segments are the same, estimate them again; `refit`: search for segments again."""
    sentence: str
    """The same in words, with the reason."""
    reason: str
    """The reason alone."""
    mix: bool
    """Whether the shares of the segments changed."""
    segments: bool
    """Whether segments moved."""
    new_kind: bool
    """Whether there is a new kind of customer, a segment that the model lacks."""
    unexpected: bool
    """Whether the model expects the new customers less, and none of the three causes explains it."""
    decisive: ChangePart | None
    """The change that decided; for `keep` the one with the smallest p-value."""
    level: float
    """The verdict is not `keep` in at most this share of tables without any change."""


class SharePart(Part):
    """The share of a segment."""

    segment: int
    """Its number."""
    before: float
    """Mean membership before."""
    before_half: float
    """Half the width of its interval at 95 %."""
    after: float
    """Mean membership after."""
    after_half: float
    """Half the width of its interval at 95 %."""


class DifferencePart(Part):
    """A mean or share at both times."""

    before: float
    """Before."""
    after: float
    """After."""
    difference: float
    """After less before."""
    low: float
    """Lower end of the interval of the difference at 95 %."""
    high: float
    """Upper end."""
    p_value: float
    """One-sided: of a change for the worse."""


class SegmentChangePart(Part):
    """The Gaussian of a segment at both times."""

    segment: int
    """Its number."""
    rows_before: float
    """Expected number of rows before."""
    rows_after: float
    """Expected number of rows after."""
    shifts: dict[str, Number]
    """From the center before to that after, in standard deviations of the segment, by column."""
    spreads: dict[str, Number]
    """Standard deviation after over that before, by column."""
    hellinger: Number
    """Hellinger distance between both, from 0 to 1; null where it has too few rows."""
    hellinger_expected: Number
    """About what it is if nothing changed."""
    divergence: Number
    """Symmetric Kullback-Leibler divergence, in nats."""
    divergence_expected: Number
    """About what it is if nothing changed."""


class NewSegmentPart(Part):
    """A segment that the model lacks."""

    share: float
    """Of the rows."""
    low: float
    """Lower end of its interval at 95 %."""
    high: float
    """Upper end."""
    customers: int
    """Customers who are most likely in it."""
    nearest: int
    """Number of the nearest segment."""
    values: dict[str, Number]
    """Its center, in the units of the columns."""
    distances: dict[str, float]
    """From the center of the nearest segment, in standard deviations of that, by column."""
    p_value: float
    """Of rows that are not more likely with it than without."""


class PeriodPart(Part):
    """The customers of one time, compared with those the model was learned from."""

    label: str
    """Table or period."""
    rows: int
    """Rows compared."""
    rows_left_out: int
    """Rows without values."""
    verdict: DriftVerdictPart
    """What is to be done with the model."""
    shares: list[SharePart]
    """Of the segments."""
    stability_index: float
    """Population stability index of the shares."""
    stability_index_expected: float
    """Its mean if nothing changed."""
    log_likelihood: DifferencePart
    """Mean log density, in nats; the p-value is that of a fall."""
    tail: DifferencePart
    """Share of the customers whom the model expects less than all but 2 % of its own; outliers are among them."""
    anomalies: DifferencePart | None
    """Share below the model's threshold of anomalies; null without one."""
    two_sample_p: Number
    """p-value of equal distributions of the log density: a test of two samples."""
    segments: list[SegmentChangePart]
    """The Gaussians of the segments."""
    changes: list[ChangePart]
    """What chance does not explain, the smallest p-value first."""
    new_segment: NewSegmentPart | None
    """A segment that the model lacks; null without one."""


class PathPart(Part):
    """Customers who went from one segment to another."""

    before: int
    """Number of the segment before; -1 for outliers."""
    after: int
    """Number of the segment after; -1 for outliers."""
    customers: int
    """Customers."""
    expected: float
    """Customers whom their memberships would send there if nobody moved."""
    beyond_chance: float
    """Customers beyond that; 0 where chance explains them."""
    low: float
    """Lower end of the interval of the difference at 95 %."""
    high: float
    """Upper end."""
    value_before: Number
    """What they were worth in sum; null where it is not known."""
    value_after: Number
    """What they are worth."""


class MoverPart(Part):
    """A customer who moved."""

    id: str
    """Who."""
    before: int
    """Segment before; -1 for an outlier."""
    after: int
    """Segment after; -1 for an outlier."""
    distance: float
    """Jensen-Shannon distance of the memberships, from 0 to 1."""


class MoversPart(Part):
    """Customers known at both times."""

    before: str
    """The first time."""
    after: str
    """The last."""
    id_column: str
    """What identifies them."""
    customers: int
    """Customers in a segment, or outliers, at both times."""
    only_before: int
    """Customers known at the first time only."""
    only_after: int
    """Customers known at the last time only."""
    moved: int
    """Customers in another segment than before."""
    expected: float
    """As many as would be, by their memberships, if nobody moved."""
    beyond_chance: float
    """Customers who moved beyond chance; 0 where the interval includes it."""
    low: float
    """Lower end of the interval at 95 %."""
    high: float
    """Upper end."""
    value_column: str | None
    """The column with what customers are worth."""
    matrix: Matrix
    """Customers by segment before (rows) and after; where some are outliers, these are the last row and column."""
    paths: list[PathPart]
    """Between different segments, the most customers first."""
    strongest: list[MoverPart]
    """The customers who moved most, at most twenty; `movers.csv` has all."""


class EventPart(Part):
    """What became of segments in the new model."""

    kind: Literal["kept", "split", "merged", "appeared", "vanished"]
    """What happened."""
    before: list[int]
    """Numbers in the old model."""
    after: list[int]
    """Numbers in the new model."""


class RenewalPart(Part):
    """The model that the verdict asks for."""

    kind: Literal["update", "refit"]
    """Estimated again, or searched for."""
    segments: list[SegmentNamePart]
    """Its segments: those that are the same have their name."""
    events: list[EventPart]
    """What became of the old segments."""
    sentences: list[str]
    """The same in words, of those that did not stay."""


class DriftDocument(Part):
    """Everything that is known of change over time. What there is not is null."""

    model_config = ConfigDict(title="mixtura drift")

    format: Literal["mixtura-drift"]
    """Always the same."""
    format_version: Literal[1]
    """1; later versions of mixtura read earlier formats."""
    mixtura_version: str
    """The version that wrote it."""
    source: str
    """The table."""
    reference: ReferencePart
    """The customers who are compared with."""
    columns: list[str]
    """Columns of the model."""
    names: list[SegmentNamePart]
    """Segments of the model."""
    verdict: DriftVerdictPart
    """On the model, of the last period."""
    periods: list[PeriodPart]
    """The earliest first; one for a later table."""
    movers: MoversPart | None
    """Customers known at both times; null where who they are is not known."""
    renewal: RenewalPart | None
    """The model that the verdict asks for; null for `keep`."""
    notes: list[str]
    """Sentences for the user: what is not known, and what was noticed."""

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a ``drift.json``.

        Raises
        ------
        DataError
            It is not readable, not a drift of mixtura, or lacks something.
        """
        try:
            return cls.model_validate(json.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
            raise DataError(
                f"{str(path)!r} is not a drift of mixtura ({why}). A drift.json that mixtura wrote is required."
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """Return numbers, texts, lists and dicts only."""
        return self.model_dump(mode="json")
