"""All models tried, ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mixtura.select.candidate import Candidate

__all__ = ["SearchResult"]


@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """All candidates, in the order tried, and the criterion that ranks them."""

    candidates: tuple[Candidate, ...]
    criterion: str

    @property
    def ranking(self) -> tuple[Candidate, ...]:
        """The candidates, best first; those that failed come last."""
        return tuple(sorted(self.candidates, key=self._order))

    def _order(self, candidate: Candidate) -> tuple[bool, float]:
        return candidate.failure is not None, candidate.criterion(self.criterion)

    @property
    def best(self) -> Candidate:
        """The first of the ranking that is not degenerate; where all are, the first."""
        return next(
            (one for one in self.ranking if not one.is_degenerate and not one.failure), self.ranking[0]
        )

    @property
    def passed_over(self) -> tuple[Candidate, ...]:
        """Candidates with a smaller criterion than the best, which are degenerate."""
        return self.ranking[: self.ranking.index(self.best)]

    @property
    def edge(self) -> str | None:
        """Say so if the best lies on the edge of the numbers of components searched; None if it does not.

        A single component is the least there is, and no edge; with one number of components nothing was searched.
        """
        found, tried = self.best.n_components, {one.n_components for one in self.candidates}
        if len(tried) == 1 or min(tried) < found < max(tried) or found == 1:
            return None
        most = found == max(tried)
        further = f"{found} to {2 * found}" if most else f"1 to {found}"
        return (
            f"The best lies on the edge of the search: {found} components, the {'most' if most else 'fewest'} that "
            f"were tried. {'More' if most else 'Fewer'} may be better: search {further} components."
        )

    def table(self, columns: Sequence[str] | None = None, *, first: int = 0) -> list[dict[str, Any]]:
        """Return a row per candidate, in the order of the ranking.

        Parameters
        ----------
        columns : sequence of str, optional
            Names of the columns, for what is said of degenerate components.
        first : int, default=0
            Number of the first component there.

        Returns
        -------
        list of dict
            Keys ``covariance_type``, ``n_components``, ``n_parameters``, ``log_likelihood``, ``entropy``, every name in
            `CRITERIA`, ``degenerate`` (why, if it is), ``outcome`` (how the fit ended), ``n_iter``, ``seconds`` and
            ``failure`` (why there is no fit). What a failed fit does not have is None.

        Examples
        --------
        >>> from mixtura.datasets import make_customers
        >>> from mixtura.select import search
        >>> for row in search(make_customers(), components=[2, 3], covariance_types=["tied", "diag"]).table():
        ...     print(row["covariance_type"], row["n_components"], row["n_parameters"], round(row["icl"], 1))
        tied 3 11 4820.3
        diag 3 14 4815.8
        tied 2 8 4856.4
        diag 2 9 4902.2
        """
        return [candidate.row(columns, first=first) for candidate in self.ranking]
