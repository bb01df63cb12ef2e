"""A table that was searched, with all its columns or with those that build segments, and the model that was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mixtura.segments.model.candidate_choice import Exclusion, candidates_to_choose_from, exclusions_of
from mixtura.segments.options import Settings
from mixtura.segments.stability.model_choice import ModelChoice, choose_model
from mixtura.segments.table.prepare import Prepared
from mixtura.select import Candidate, OnCandidate, OnFold, SearchResult

if TYPE_CHECKING:
    from mixtura.select import ColumnSelection

__all__ = ["SearchedTable"]


@dataclass(frozen=True, slots=True, eq=False)
class SearchedTable:
    """What a search found in a table.

    Parameters
    ----------
    prepared : Prepared
        The table, with the columns that were searched.
    found : SearchResult
        All models that were tried.
    exclusions : mapping of Candidate to Exclusion
        Models that may not be chosen.
    choice : ModelChoice
    selection : ColumnSelection or None
        Which columns build segments, where that was asked.
    """

    prepared: Prepared
    found: SearchResult
    exclusions: Mapping[Candidate, Exclusion]
    choice: ModelChoice
    selection: ColumnSelection | None

    @classmethod
    def of(
        cls,
        prepared: Prepared,
        settings: Settings,
        on_candidate: OnCandidate | None = None,
        on_fold: OnFold | None = None,
        selection: ColumnSelection | None = None,
    ) -> SearchedTable:
        """Search a table as it is."""
        found = prepared.search(settings, on_candidate, on_fold)
        kept = 0 if prepared.kept is None else prepared.kept.n_segments
        exclusions = exclusions_of(found.ranking, prepared.rows, prepared.weights, settings.min_share, kept)
        allowed = candidates_to_choose_from(found.ranking, exclusions)
        if kept:  # Resamples would say how stable those are that stay as they are.
            return cls(prepared, found, exclusions, ModelChoice(allowed[0], allowed[0]), selection)
        choice = choose_model(allowed, prepared.table, prepared.scaling, settings, prepared.weights)
        return cls(prepared, found, exclusions, choice, selection)

    @classmethod
    def of_builders(
        cls,
        prepared: Prepared,
        settings: Settings,
        on_candidate: OnCandidate | None = None,
        on_fold: OnFold | None = None,
    ) -> SearchedTable:
        """Search the columns that build segments; select them again should another number of these be chosen."""
        from mixtura.segments.building.select_builders import select_builders

        builders, selection = select_builders(prepared, settings)
        found = cls.of(builders, settings, on_candidate, on_fold, selection)
        k = found.choice.best.n_components
        if selection.mixture is None or k in {1, selection.mixture.n_components} or found.found.interrupted:
            return found
        builders, again = select_builders(prepared, settings, k)
        if again.mixture is None:
            return found
        if again.building == selection.building:
            return replace(found, selection=again)
        return cls.of(builders, settings, on_candidate, on_fold, again)
