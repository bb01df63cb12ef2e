"""What a journal keeps of a search: after an interruption it is not computed again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from mixtura.exceptions import MixturaError
from mixtura.fit import Degeneracy, DegeneracyKind, FitResult
from mixtura.select.model_search.candidate import Candidate
from mixtura.select.scores.folds import FoldScores

if TYPE_CHECKING:
    from mixtura.fit.journal import Journal

__all__ = ["KINDS_KEPT", "KeptFits", "packed", "unpacked"]

KINDS_KEPT = (Candidate, Degeneracy, DegeneracyKind, FoldScores)
"""What results of a search consist of, besides fits."""

C = TypeVar("C", bound=Hashable)


class KeptFits:
    """Results by what they are of; without a journal nothing is kept.

    Parameters
    ----------
    journal : Journal or None
    robust : str
        What the models have against outliers: each kind is a search of its own.
    """

    def __init__(self, journal: Journal | None, robust: str) -> None:
        self.journal, self._robust = journal, robust

    def name(self, *parts: object) -> str:
        return ", ".join(str(part) for part in (self._robust, *parts))

    def each(
        self, what: str, keys: Sequence[C], compute: Callable[[list[C]], Iterator[Any]]
    ) -> Iterator[Any]:
        """Yield the result of each key, in order; those that are not kept are computed.

        Parameters
        ----------
        what : str
        keys : sequence
        compute : callable
            Yields the results of some keys, in order.
        """
        if self.journal is None:
            yield from compute(list(keys))
            return
        kept = {key: self.journal.get(self.name(what, key)) for key in keys}
        computed = compute([key for key, value in kept.items() if value is None])
        for key, value in kept.items():
            if value is None:
                found = next(computed)
                self.journal.put(self.name(what, key), found)
                yield found
            else:
                yield value


def packed(fit: FitResult | MixturaError) -> FitResult | str:
    """Return a fit, or why there is none, as a journal takes it."""
    return fit if isinstance(fit, FitResult) else str(fit)


def unpacked(value: FitResult | str) -> FitResult | MixturaError:
    """Return what was packed."""
    return value if isinstance(value, FitResult) else MixturaError(value)
