"""A segmentation as one object: from a dataframe to profiles, audiences, a report and a model, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mixtura.data.frames import frame_like
from mixtura.engine import is_distributed
from mixtura.exceptions import DataError
from mixtura.io.export import DialectName
from mixtura.segments import (
    Effort,
    KMeansComparison,
    SegmentationResult,
    SegmentModel,
    Stability,
    assess_stability,
    assign_table,
    deliver,
    with_reference,
)
from mixtura.segments.audiences.audience_frame import audience_frame
from mixtura.segments.change import TableDrift, drift_of_table
from mixtura.segments.known.kept_segments import require_resampled
from mixtura.segments.known_options import require_options
from mixtura.segments.large.segment_source import segment_any
from mixtura.segments.model.assignment_frame import ambiguous_frame, eager, frame_of, held

__all__ = ["Segmentation"]


class Segmentation:
    """The segments of a table of customers.

    Made by `fit` or `load`. Tables may be pandas, polars or pyarrow, a polars LazyFrame or a DuckDB relation;
    dataframes come back of the same library (for a DuckDB relation Arrow tables), with the index of a pandas table.

    Parameters
    ----------
    model : SegmentModel
        What assigns customers.
    result : SegmentationResult or None, default=None
        What was found in the table; None for a model that was loaded.
    frame : dataframe or None, default=None
        The table.

    Examples
    --------
    >>> from mixtura import Segmentation
    >>> from mixtura.datasets import make_customers
    >>> customers = make_customers(as_frame="polars")
    >>> segmentation = Segmentation.fit(customers, columns=["income", "spending"])
    >>> segmentation
    <Segmentation: 3 segments of 300 customers>
      1 low income, high spending: 104 (35 %)
      2 average: 100 (33 %)
      3 high income, low spending: 96 (32 %)
    >>> segmentation.audience("average", min_probability=0.3).shape
    (104, 4)
    """

    def __init__(
        self, model: SegmentModel, result: SegmentationResult | None = None, frame: Any = None
    ) -> None:
        self._model, self._result, self._frame = model, result, frame

    @classmethod
    def fit(cls, frame: Any, *, names: Mapping[str | int, str] | None = None, **options: Any) -> Segmentation:
        """Segment the customers of a table.

        Parameters
        ----------
        frame : pandas, polars or pyarrow table, polars LazyFrame, DuckDB relation, path, or source
            One row per customer. Paths may be patterns, folders or lists; also data sets and readers of Arrow, what
            `mixtura.data.sources.open_source` returns, and Dask and Spark dataframes, whose rows stay on their cluster.
        names : mapping of str or int to str, optional
            What segments shall be called, by number or automatic name.
        **options
            As of `mixtura.segments.segment_table`: ``columns``, ``describe``, ``value``, ``weight``, ``id_column``,
            ``components``, ``covariance_types``, ``criterion``, ``transform``, ``prior``, ``n_init``, ``random_state``,
            ``anomaly_percentile``, ``drop_missing``, ``kinds``, ``missing_codes``, ``source``, ``known``, ``n_folds``,
            ``min_share``, ``merge``, ``select_columns``, ``on_candidate``, ``on_fold``.

        Raises
        ------
        MixturaError
            A parameter is out of its range, or the table cannot be used; as `mixtura.segments.segment_table` says.
        TypeError
            There is no parameter of that name; the error says which may be meant.
        """
        result, table = segment_any(frame, names=names, **options)
        return cls(result.model, result, table)

    @classmethod
    def load(cls, path: str | Path) -> Segmentation:
        """Read a model that `save` or ``mixtura segment`` wrote; it assigns, but knows no table.

        Raises
        ------
        ModelFileError
            It is missing, truncated, altered, of a newer format, or not consistent.
        """
        return cls(SegmentModel.load(path))

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the model, without any customer, as a JSON file.

        Raises
        ------
        OutputError
            The file exists and `overwrite` is False, or it cannot be written.
        """
        self._kept().save(path, overwrite=overwrite)

    @property
    def model(self) -> SegmentModel:
        """What assigns customers."""
        return self._model

    @property
    def result(self) -> SegmentationResult:
        """Everything that is known of the table; raises `DataError` for a model that was loaded."""
        if self._result is None:
            raise DataError(
                "This segmentation was loaded: it has a model and no table. What is asked for needs the customers. "
                "Use Segmentation.fit with the table, or assign it."
            )
        return self._result

    @property
    def names(self) -> tuple[str, ...]:
        """What the segments are called, the largest first."""
        return self._model.names

    @property
    def profiles(self) -> Any:
        """A dataframe with a row per segment and numeric column, and per level of a categorical one.

        Segment 0 is all customers; columns as in `mixtura.segments.NumericProfile` and `mixtura.segments.LevelShare`.
        """
        from mixtura.segments.results.build_profiles import profile_rows

        rows = profile_rows(self.result)
        names = dict.fromkeys(name for row in rows for name in row)
        return frame_like(self._frame, {name: [row.get(name) for row in rows] for name in names})

    @property
    def memberships(self) -> Any:
        """A dataframe with a row per customer: segment, certainty, the probability of each segment, anomaly."""
        return frame_of(self._frame, held(self.result))

    def ambiguous(self, threshold: float = 0.6) -> Any:
        """Return a dataframe of the customers between segments, the least certain first.

        The second segment is "outlier" where that is more probable than any segment but the first.

        Parameters
        ----------
        threshold : float, default=0.6
            Largest membership below which a customer is between segments.

        Raises
        ------
        ParameterError
            The threshold is out of its range.
        """
        return ambiguous_frame(self._frame, held(self.result), self.names, threshold)

    def assign(self, frame: Any, *, id_column: str | None = None, drop_missing: bool = False) -> Any:
        """Return a dataframe with the segments of other customers; columns are as of `memberships`.

        A Dask or Spark dataframe is given these columns beside its own, computed when they are asked for, where its
        rows are.

        Parameters
        ----------
        frame : dataframe
            With the columns of the model, in any order.
        id_column : str or None, default=None
            The ids of customers; a Dask or Spark dataframe keeps all of its columns.
        drop_missing : bool, default=False
            Leave rows with missing values unassigned instead of raising.

        Raises
        ------
        ColumnError, MissingValuesError
            A column lacks or is not numeric; values are missing.
        DataError
            A Dask or Spark dataframe has a column of a name that is added.
        """
        if is_distributed(frame) and hasattr(frame, "columns"):
            from mixtura.segments.large.on_cluster.assign_on_cluster import assign_on_cluster

            return assign_on_cluster(self._model, frame, drop_missing=drop_missing)
        table = eager(frame)
        found = assign_table(self._model, table, id_column=id_column, drop_missing=drop_missing)
        return frame_of(table, found)

    def to_sql(self, dialect: DialectName, *, table: str | Sequence[str], **options: Any) -> str:
        """Return a SELECT that assigns the rows of a database table; all parameters are those of `SegmentModel.to_sql`.

        Raises
        ------
        ParameterError
            There is no such dialect, a name cannot be written in it, or the statement is too long for it.
        """
        require_options("Segmentation.to_sql", options, self._model.to_sql)
        return self._model.to_sql(dialect, table=table, **options)

    def audience(
        self,
        segment: str | int,
        frame: Any = None,
        *,
        min_probability: float | None = None,
        top: int | None = None,
        value: str | None = None,
        min_expected_value: float | None = None,
    ) -> Any:
        """Return a dataframe of the customers whom a campaign for a segment should address, the best first.

        Parameters
        ----------
        segment : str or int
            Its name, the start of its name, or its number from 1.
        frame : dataframe or None, default=None
            Customers to choose from; None for those of `fit`. Rows with missing values are in no audience.
        min_probability, top, min_expected_value
            Who is in it, see `mixtura.segments.select_audience`; at least one is required.
        value : str or None, default=None
            The column with what a customer is worth; then the first are those expected to be worth most.

        Raises
        ------
        ParameterError
            There is no such segment, or nothing limits the audience.
        """
        if frame is None:
            held(self.result)
        return audience_frame(
            self._model,
            self._frame if frame is None else eager(frame),
            segment,
            min_probability=min_probability,
            top=top,
            value=value,
            min_expected_value=min_expected_value,
            id_column=None if self._result is None else self._result.columns.id_column,
        )

    def drift(self, frame: Any, **options: Any) -> TableDrift:
        """Return what changed since, given later customers; `verdict` says what to do.

        Parameters
        ----------
        frame : dataframe
            With the columns of the model. Customers with the same ids as before show who moved.
        **options
            As of `mixtura.segments.change.drift_of_table`.

        Raises
        ------
        ColumnError, DataError, TooFewRowsError
            The table cannot be compared.
        """
        require_options("Segmentation.drift", options, drift_of_table)
        return drift_of_table(self._kept(), eager(frame), **{"before": self._frame} | options)

    def _kept(self) -> SegmentModel:
        model, result = self._model, self._result
        if result is None:
            return model
        return with_reference(
            model, result.table, result.weights, result.outlier_rows, result.outlier_weights
        )

    def stability(self, n_bootstraps: int = 50, **options: Any) -> Stability:
        """Return whether the same segments come out of resampled customers.

        Parameters
        ----------
        n_bootstraps : int, default=50
        **options
            As of `mixtura.segments.assess_stability`.

        Raises
        ------
        ParameterError
            Fewer than 2 resamples, another parameter out of its range, or segments are kept.
        """
        require_options("Segmentation.stability", options, assess_stability)
        result = self.result
        require_resampled(result)
        options = {"mixtures": result.neighbors} | options
        found = assess_stability(
            result.model, result.table, weights=result.weights, n_bootstraps=n_bootstraps, **options
        )
        # The report shows what was measured last.
        self._result = result.with_stability(found)
        return found

    def compare_kmeans(self) -> KMeansComparison:
        """Return what K-means with as many clusters would do differently; `sentences` say it in words."""
        return self.result.kmeans

    def report(
        self,
        path: str | Path,
        *,
        overwrite: bool = False,
        excel: str | Path | None = None,
        effort: Effort | None = None,
    ) -> None:
        """Write the report as one HTML file that needs nothing else, and on request as a workbook.

        Parameters
        ----------
        path : str or Path
            Ends in ``.html``.
        overwrite : bool, default=False
        excel : str or Path or None, default=None
            Ends in ``.xlsx``.
        effort : Effort or None, default=None
            How much is computed for what is estimated by sampling, see `mixtura.segments.Effort`.

        Raises
        ------
        OutputError
            A file exists and `overwrite` is False, or it cannot be written.
        OptionalDependencyError
            What draws or writes is not installed.
        """
        from mixtura.io import output_file
        from mixtura.report import REPORT

        result = self._with_effort(effort)
        with output_file(path, overwrite=overwrite) as writing:
            writing.write_text(REPORT.page(result), encoding="utf-8")
        if excel is not None:
            REPORT.workbook(result, excel, overwrite=overwrite)

    def write(
        self,
        folder: str | Path,
        *,
        overwrite: bool = False,
        excel: bool = False,
        effort: Effort | None = None,
    ) -> None:
        """Write the directory that ``mixtura segment`` writes: tables, model, summary, picture and report.

        Parameters
        ----------
        folder : str or Path
            Its parent exists. All files appear together, or none.
        overwrite : bool, default=False
            Replace a directory that holds nothing but such files.
        excel : bool, default=False
            Write a workbook as well.
        effort : Effort or None, default=None
            How much is computed for what is estimated by sampling, see `mixtura.segments.Effort`.

        Raises
        ------
        OutputError
            The directory exists and `overwrite` is False, or it cannot be written.
        OptionalDependencyError
            What draws or writes is not installed.
        """
        from mixtura.report import REPORT

        result = self._with_effort(effort)
        with deliver(folder, presentation=REPORT, workbook=excel, overwrite=overwrite) as delivery:
            delivery.write(result)

    def _with_effort(self, effort: Effort | None) -> SegmentationResult:
        """Return the result; what is computed for it is kept for the next report."""
        if effort is not None:
            self._result = self.result.with_effort(effort)
        return self.result

    def __repr__(self) -> str:
        model = self._model
        if self._result is None:
            lines = [f"<Segmentation: {model.n_segments} segments, loaded>"]
            return "\n".join(lines + [f"  {k + 1} {name}" for k, name in enumerate(model.names)])
        found = self._result.segments
        counted = sum(one.count for one in found)
        noun = "segment" if len(found) == 1 else "segments"
        lines = [f"<Segmentation: {len(found)} {noun} of {counted:,} customers>"]
        lines += [f"  {one.number} {one.name}: {one.count:,} ({100 * one.share:.0f} %)" for one in found]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return a small card for notebooks: the segments and their profile chart."""
        from mixtura.report.card import notebook_card

        return notebook_card(self._model, self._result)
