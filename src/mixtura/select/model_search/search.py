"""The search over a grid: fit every covariance type with every number of components, and rank them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray
from mixtura.core.covariance import choose_families
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import MixedRows, RowTable
from mixtura.engine import (
    as_data,
    as_distributed,
    distributed_rows,
    is_distributed,
)
from mixtura.exceptions import MixturaError, ParameterError
from mixtura.select.checked_rows import as_table, counted_weights
from mixtura.select.known_rows import (
    n_known_components,
    of_later_rows,
    require_columns_for,
    sizes_for_kept,
    sizes_for_known,
    table_with_known,
)
from mixtura.select.model_search.candidate import OnCandidate
from mixtura.select.model_search.fitter import SAMPLE_ROWS, SearchOptions
from mixtura.select.model_search.fold_search import score_candidates
from mixtura.select.model_search.grid import fit_candidates
from mixtura.select.model_search.kept_fits import KeptFits
from mixtura.select.model_search.ranking import SearchResult
from mixtura.select.model_search.robustness import KINDS, ROBUST
from mixtura.select.priors import PriorName
from mixtura.select.scores.criteria import CRITERIA
from mixtura.select.scores.folds import FoldScores, OnFold
from mixtura.validation import (
    SHARE,
    as_seed,
    count_rows,
    require,
    require_rows,
    whole_numbers,
)

__all__ = ["search"]


def search(
    rows: npt.ArrayLike | MixedRows,
    *,
    components: Iterable[int] = range(1, 10),
    covariance_types: Iterable[str] | str = ("full", "tied", "diag", "spherical"),
    criterion: str = "bic",
    n_folds: int = 10,
    n_init: int = 1,
    random_state: int | np.random.RandomState | None = 0,
    sample_weight: npt.ArrayLike | None = None,
    prior: PriorName | float = "floor",
    sample_rows: int = SAMPLE_ROWS,
    missing: str = "error",
    min_share: float = 0.0,
    robust: str = "none",
    rounding: npt.ArrayLike | None = None,
    checkpoint: str | Path | None = None,
    keep_interrupted: bool = False,
    known: npt.ArrayLike | None = None,
    keep: Mixture | None = None,
    on_candidate: OnCandidate | None = None,
    on_fold: OnFold | None = None,
) -> SearchResult:
    """Fit every combination and rank them by a criterion.

    Each candidate is the best end of several starts (see `n_init`), and finished, so that it is mostly more likely than
    the fit of a single ``GaussianMixture``: criteria compare log-likelihoods, so a fit goes on until, by Aitken's
    estimate, less than 0.01 nats of the total log-likelihood are still to be gained (`result.remaining_gain`; where all
    rows are fitted from the beginning, less than 0.0001), or 1,000 iterations are made. What the best family with as
    many components found, or one that a family contains, may be a further start, and the better end is kept. A fit that
    fails is recorded with its reason; one with a component that sits on equal values, in a plane, or on a handful of
    rows is recorded as degenerate, and is best only where all are.

    Parameters
    ----------
    rows : array-like of shape (N, D), or MixedRows
        An array, a list of lists or a frame of numbers; C-ordered float64 or float32 arrays are not copied. Or rows
        that have discrete columns too. Or a Dask array or dataframe, or a Spark dataframe: rows stay on their cluster,
        and starts are looked for on a sample of them here.
    components : iterable of int, default 1 to 9
        Whole numbers from 1; 2.0 is one, 2.5 is refused.
    covariance_types : str or iterable of str, default ("full", "tied", "diag", "spherical")
        Also model-based clustering's names, ``EII`` to ``VVV``, or ``"all"`` for all fourteen families (in one column
        the two that differ); and covariances of few factors for many columns, such as ``"UUU-2"``, see
        `mixtura.core.covariance`.
    criterion : str, default="bic"
        One of `CRITERIA`. With ``"cv"`` every candidate is fitted to all rows, as with the others, and once more
        without each fold of them, which takes as many searches as there are folds. The score is minus twice the
        log-likelihood of rows held out, see `cross_validate`; the best is the candidate of fewest free parameters
        within one standard error of the smallest score.
    n_folds : int, default=10
        Folds of ``criterion="cv"``, by the seed, from 2 to the number of rows; the other criteria hold out no rows.
    n_init : int, default=1
        Every candidate has starts that all families share: mclust's hierarchical agglomeration of at most 2,000 rows,
        two runs of K-means, with discrete columns four random partitions, and without neighbors agglomeration by the
        sum of squares. One that is low beside its neighbors, those of its family with one component less or more, and
        the best five begin from these, too: one component split, or two joined. A larger number adds runs of K-means,
        and gives all candidates starts from their neighbors, more of them.
    random_state : int, RandomState or None, default=0
        Seed of every candidate; drawn from the generator, or by chance, where it is not a number.
    sample_weight : array-like of shape (N,), optional
        Finite, not negative, and not all zero; a row of weight two counts as two rows.
    prior : {"floor", "conjugate"} or float, default="floor"
        What keeps covariances from collapsing. ``"floor"``: none goes below 1e-8 of the data's own covariance, which no
        real cluster comes near; results do not depend on the units of the columns. ``"conjugate"``: the prior of Fraley
        and Raftery (2007), mclust's ``priorControl()``. A number, in squared units of the data, is added to every
        variance as scikit-learn's ``reg_covar`` is; there it decides the answer where columns have spikes.
    sample_rows : int, default=50_000
        In a larger table each model is fitted to a random sample of this many rows, and brought to all by one pass over
        them and eight over part of the sample, whose sums the pass corrects; of the best five, those that may still
        become the best are converged, the others are not refined (``outcome``): their likelihoods would still rise. All
        have starts of their type with one component more there, two of which are joined. Likelihoods are always of all
        rows.
    missing : {"error", "fiml"}, default="error"
        What NaN in the rows is: an error or a missing value, see `mixtura.GaussianMixture`. Likelihoods are then of
        what was observed, starts are looked for in rows that one Gaussian filled, and rows without any value do not
        count.
    min_share : float, default=0
        Least weight of a component, from 0 to 0.5, for a candidate to be the best: those with a smaller one are
        `excluded`. Where all have, it is as if nothing was asked for.
    robust : {"none", "noise", "t", "auto"}, default="none"
        What models have against outliers. ``"noise"``: rows may belong to no component, but to noise that is spread
        evenly over the volume of the rows. ``"t"``: components are multivariate t distributions, each with degrees of
        freedom of its own. Both are estimated, see `mixtura.GaussianMixture`, and count as parameters. ``"auto"``: the
        criterion decides; it takes three searches, and `robust_reason` says what it found.
    rounding : array-like of shape (D,), optional
        Steps that the columns are rounded to, 0 for none: with the floor as `prior`, no deviation goes below the step
        over the square root of two pi, so that components on single values, such as of counts, gain nothing.
    checkpoint : str or Path, optional
        A file in which fits are kept while the search runs: a search of the same rows with the same parameters goes on
        where one was interrupted, and ends with the same numbers to the last bit on the same kind of processor. The
        file is removed at the end. Scores of folds are computed again.
    keep_interrupted : bool, default=False
        Whether a KeyboardInterrupt (Ctrl-C) ends the search with the candidates that are done, if there are some, and
        is not raised; `SearchResult.interrupted` is then true.
    known : array-like of shape (N,), optional
        The component that each row is known to belong to, from 0; -1 where nothing is known. Known rows keep their
        component in every candidate, and their log density is ``log(w_k f_k(x))``; candidates of fewer components are
        not tried, those of more have components that no row is known to belong to. The mixtures are those that rows
        meet of which nothing is known. Not on a cluster, and not with ``criterion="cv"``.
    keep : Mixture, optional
        Components of an earlier mixture of the same columns. They are the first of every candidate and stay as they
        are, means and covariances to the last bit; weights are estimated, and further components found beside them, of
        the covariance types asked for. What is kept counts no parameters; mixtures are ``full``. With as many
        components as are kept nothing is new. Not with `known`, `robust`, a conjugate prior or ``criterion="cv"``.
    on_candidate : callable, optional
        Called with each candidate, how many are done, and how many there are.
    on_fold : callable, optional
        Called after each fold with how many are done, and how many there are. Folds come before candidates.

    Raises
    ------
    ParameterError
        No candidate is left to try, an unknown criterion or covariance type, a number of components that is not
        whole or below one, or fewer than two folds or more than rows; a `min_share` that is not from 0 to 0.5;
        a `rounding` that is not a step for each column.
    TooFewRowsError
        Fewer rows, or rows of positive weight, than the largest number of components; with ``"cv"`` the rows of the
        largest fold do not count.
    DataError
        Rows that are not a table of numbers; weights that are not one per row, negative or not finite, or all zero.
    CheckpointError
        The file cannot be written, is used by another search, or is of other rows or parameters.
    MixturaError
        Every candidate failed, the message gives the reason of the first; or the criterion is infinite for all of them.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.select import search
    >>> rows = make_customers()
    >>> best = search(rows, components=range(1, 5)).best
    >>> best.covariance_type, best.n_components
    ('spherical', 3)
    """
    seed, sizes = as_seed(random_state), _checked(components, criterion)
    require("min_share", min_share, SHARE, "Try `min_share=0.05`.")
    require("robust", robust, ROBUST, "Try `robust='auto'`.")
    table, weights = _opened(rows, sample_weight, missing, sample_rows, criterion)
    opened, table = table, _with_known(table, known, weights, criterion)
    sizes = sizes_for_kept(sizes_for_known(sizes, table), keep, table, criterion, robust, prior)
    n_features = table.n_features if isinstance(table, Data) else table.shape[1]
    require_columns_for(robust, n_features)
    families, steps = choose_families(covariance_types, n_features), _steps(rounding, n_features)
    options = SearchOptions(prior, n_init, seed, sample_rows, rounding=steps, kept=keep)
    what = "rows" if weights is None else "rows of positive weight"
    n_rows = distributed_rows(table) if isinstance(table, Data) else count_rows(table, weights)
    require_rows(n_rows, max(sizes), what)
    task = _Search(table, weights, families, sizes, options, criterion, min_share, n_folds, keep_interrupted)
    run = task.run if checkpoint is None else partial(task.run_kept, checkpoint)
    found = run(robust, on_candidate, on_fold)
    return found if table is opened else of_later_rows(found)


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """A search that is still to say what its models have against outliers."""

    table: RowTable | Data
    weights: FloatArray | None
    families: Sequence[str]
    sizes: Sequence[int]
    options: SearchOptions
    criterion: str
    min_share: float
    n_folds: int
    keep_interrupted: bool

    def data(self) -> Data:
        return self.table if isinstance(self.table, Data) else as_data(self.table, self.weights)

    def run_kept(
        self, checkpoint: str | Path, robust: str, on_candidate: OnCandidate | None, on_fold: OnFold | None
    ) -> SearchResult:
        """Return the search, of which a file keeps what is finished until all is."""
        from mixtura.fit.journal import Journal
        from mixtura.select.model_search.kept_fits import KINDS_KEPT

        asked = self.options
        steps = None if asked.rounding is None else asked.rounding.tolist()
        about = (
            self.families,
            self.sizes,
            asked.prior,
            asked.n_init,
            asked.random_state,
            asked.sample_rows,
            steps,
            *(() if asked.kept is None else (asked.kept.means, asked.kept.full_covariances())),
        )
        with Journal.of(checkpoint, self.data(), about, kinds=KINDS_KEPT) as journal:
            kept = replace(self, options=replace(asked, journal=journal))
            found = kept.run(robust, on_candidate, on_fold)
            if not found.interrupted:
                journal.remove()
        return found

    def run(self, robust: str, on_candidate: OnCandidate | None, on_fold: OnFold | None) -> SearchResult:
        return self.decide(on_candidate, on_fold) if robust == "auto" else self(robust, on_candidate, on_fold)

    def __call__(self, robust: str, on_candidate: OnCandidate | None, on_fold: OnFold | None) -> SearchResult:
        options, folds = replace(self.options, robust=robust), dict[tuple[str, int], FoldScores]()
        asked = self.families, self.sizes, options
        if self.criterion == "cv" and not isinstance(self.table, Data):
            without_journal = *asked[:2], replace(options, journal=None)
            kept = None if options.journal is None else KeptFits(options.journal, robust)
            folds = score_candidates(self.table, self.weights, *without_journal, self.n_folds, on_fold, kept)
        return fit_candidates(
            self.data(),
            *asked,
            criterion=self.criterion,
            min_share=self.min_share,
            folds=folds,
            keep_interrupted=self.keep_interrupted,
            on_candidate=on_candidate,
        )

    def decide(self, on_candidate: OnCandidate | None, on_fold: OnFold | None) -> SearchResult:
        """Return the search whose best has the smallest criterion, without, with noise, or with t components.

        With ``"cv"`` it is that of fewest parameters within one standard error of the smallest.
        """
        results = list[SearchResult]()
        for kind in KINDS:
            if kind == "t" and self.options.prior == "conjugate":
                continue
            try:
                results.append(self(kind, on_candidate, on_fold))
            except MixturaError:
                if kind == "none":
                    raise
            if results and results[-1].interrupted:
                break
        scores = {one.robust: one.best.criterion(one.criterion) for one in results}
        smallest = min(results, key=lambda one: scores[one.robust])
        folds = smallest.best.folds
        if folds is None:
            return replace(smallest, robust_scores=scores)
        # Held-out rows do not distinguish models within one standard error of the smallest score.
        limit = scores[smallest.robust] + folds.standard_error
        near = [one for one in results if scores[one.robust] <= limit]
        best = min(near, key=lambda one: (one.best.n_parameters, scores[one.robust]))
        return replace(best, robust_scores=scores)


def _opened(
    rows: Any, sample_weight: Any, missing: str, sample_rows: int, criterion: str
) -> tuple[RowTable | Data, FloatArray | None]:
    """Return rows and their weights; those of a cluster as data, unless there are no more than are looked at anyway."""
    if not is_distributed(rows):
        table = as_table(rows, missing)
        return table, counted_weights(sample_weight, table)
    if criterion == "cv":
        raise ParameterError(
            "`criterion` must be one of the likelihood for rows on a cluster; got 'cv', which fits to folds in memory. "
            "Try criterion='bic', or a sample of the rows."
        )
    data = as_distributed(rows, sample_weight, missing)
    if data.n_rows > sample_rows:
        return data, None
    numbers = np.arange(data.n_rows)
    weights = None if sample_weight is None else data.rows_and_weights(numbers)[1]
    few = data.rows_with_missing(numbers)
    return few, counted_weights(weights, few)


def _with_known(
    table: RowTable | Data, known: npt.ArrayLike | None, weights: FloatArray | None, criterion: str
) -> RowTable | Data:
    """Return rows with what is known of them."""
    if isinstance(table, Data) and known is None:
        return table
    if isinstance(table, Data):
        raise ParameterError(
            "`known` takes rows in memory; got rows on a cluster. Try a sample of them, with all that are known."
        )
    found = table_with_known(table, known, weights)
    if criterion == "cv" and n_known_components(found):
        raise ParameterError(
            "`criterion` must be one of the likelihood where rows are known; got 'cv', whose folds may hold all that "
            "are known of a component. Try criterion='bic'."
        )
    return found


def _steps(rounding: npt.ArrayLike | None, n_features: int) -> FloatArray | None:
    if rounding is None:
        return None
    steps = np.asarray(rounding, dtype=np.float64)
    if steps.shape != (n_features,) or not (np.isfinite(steps).all() and (steps >= 0).all()):
        raise ParameterError(
            f"`rounding` must be a step of at least 0 for each of the {n_features} columns; got {rounding!r}. Try 0 "
            "for columns that are not rounded."
        )
    return steps


def _checked(components: Iterable[int], criterion: str) -> list[int]:
    sizes = whole_numbers("components", components, 1)
    if criterion not in CRITERIA:
        raise ParameterError(f"`criterion` must be one of {list(CRITERIA)!r}; got {criterion!r}.")
    return sizes
