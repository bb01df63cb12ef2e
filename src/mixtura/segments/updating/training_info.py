"""How a model came about, and what was added to it since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from mixtura.select.priors import PriorName

__all__ = ["Addition", "KeptFrom", "TrainingInfo"]


@dataclass(frozen=True, slots=True)
class Addition:
    """Rows that a model was given.

    Parameters
    ----------
    kind : {"learned", "updated", "merged"}
    source : str
        Name of the table, or of the files of statistics.
    created : str
        Date and time (UTC, ISO 8601).
    rows : int
    kept : float
        Share of the weight of earlier rows that was kept: 1 where nothing was forgotten, 0 where they were replaced.
    """

    kind: Literal["learned", "updated", "merged"]
    source: str
    created: str
    rows: int
    kept: float

    def content(self) -> dict[str, Any]:
        """Return what a model file says of it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class KeptFrom:
    """The model whose segments were kept, the first ones of a model.

    Parameters
    ----------
    source, created : str
        The table that it was learned from, and when.
    segments : int
        How many they are.
    """

    source: str
    created: str
    segments: int


@dataclass(frozen=True, slots=True)
class TrainingInfo:
    """How a model came about.

    Parameters
    ----------
    source : str
        Name of the table.
    created : str
        Date and time (UTC, ISO 8601).
    id_column : str or None
    rows, rows_dropped : int
        Rows learned from; rows left out because of missing values.
    seed, n_init : int
    criterion : str
        One of `mixtura.select.CRITERIA`.
    log_likelihood, bic, aic : float
        Total, of the rows in the user's units.
    n_iter : int
    converged : bool
    outcome : str
        How the fit ended.
    weight_column, value_column : str or None, default=None
        What said how much a customer counts, and what a customer is worth.
    describe : tuple of str, default=()
        Columns that only described the segments.
    prior : {"floor", "conjugate"} or float, default="floor"
        What kept covariances from collapsing.
    missing_codes : mapping of str to sequence of float, default={}
        Numbers that stand for missing values, by column, as they were said; ``"*"`` for all columns.
    history : tuple of Addition, default=()
        Where rows were added later: what was learned from, the earliest first.
    kept_from : KeptFrom or None, default=None
        Where segments of an earlier model were kept.
    """

    source: str
    created: str
    id_column: str | None
    rows: int
    rows_dropped: int
    seed: int
    n_init: int
    criterion: str
    log_likelihood: float
    bic: float
    aic: float
    n_iter: int
    converged: bool
    outcome: str
    weight_column: str | None = None
    value_column: str | None = None
    describe: tuple[str, ...] = ()
    prior: PriorName | float = "floor"
    missing_codes: Mapping[str, Sequence[float]] = field(default_factory=dict)
    history: tuple[Addition, ...] = ()
    kept_from: KeptFrom | None = None

    @property
    def learned_from(self) -> str:
        """What all tables together are called."""
        added = len(self.history) - 1
        return self.source if added < 1 else f"{self.source} and {added} added later"

    def content(self) -> dict[str, Any]:
        """Return what a model file says of it; what only some models have where there is some."""
        held = {
            name: getattr(self, name)
            for name in TrainingInfo.__slots__
            if name != "kept_from" and getattr(self, name) not in ({}, ())
        }
        history = {"history": [one.content() for one in self.history]} if self.history else {}
        kept = {} if self.kept_from is None else {"kept_from": asdict(self.kept_from)}
        return held | {"describe": list(self.describe)} | history | kept

    @classmethod
    def read(cls, content: dict[str, Any]) -> TrainingInfo:
        """Return what `content` has written."""
        history = tuple(Addition(**one) for one in content["history"])
        kept = None if content["kept_from"] is None else KeptFrom(**content["kept_from"])
        return cls(
            **content | {"describe": tuple(content["describe"]), "history": history, "kept_from": kept}
        )
