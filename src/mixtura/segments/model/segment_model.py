"""A segmentation that can be kept: the mixture, its scaling, the columns it reads, the names it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.impute import expected_log_density
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import RowTable, continuous_rows
from mixtura.drift import Reference
from mixtura.exceptions import ParameterError
from mixtura.io import dump_document, read_document, save_text
from mixtura.io.export import DialectName, Scorer
from mixtura.segments.merging.grouped import Groups, grouped, united
from mixtura.segments.model.discrete_file import discrete_content, discrete_parts, read_discrete
from mixtura.segments.model.kept_reference import read_reference, reference_content
from mixtura.segments.model.naming import rename_segments
from mixtura.segments.model.robust_file import read_robust, require_gaussian, robust_content
from mixtura.segments.table.discrete.coding import Coding
from mixtura.segments.table.survey.missing_codes import codes_by_column
from mixtura.segments.transforms.scaling import Scaling
from mixtura.segments.transforms.transforms import IDENTITY, Transform, build_transform
from mixtura.segments.updating.model_statistics import ModelStatistics, read_statistics, statistics_content
from mixtura.segments.updating.training_info import TrainingInfo

__all__ = ["SegmentModel", "TrainingInfo"]


@dataclass(frozen=True, slots=True, eq=False)
class SegmentModel:
    """What assigns customers to segments.

    Parameters
    ----------
    mixture : Mixture
        Of the scaled rows; K components, those of the largest segment first.
    columns : tuple of str
        The D columns it reads.
    scaling : Scaling
    names : tuple of str
        One per segment.
    anomaly_percentile : float
    anomaly_threshold : float or None
        Log density, in the user's units, below which a customer is an anomaly; None for no anomalies.
    training : TrainingInfo
    mixtura_version : str
        The version that learned it.
    automatic_names : tuple of str, default=()
        What the segments are called without names of the user's; empty for `names`.
    mean_values : tuple of float or None, default=()
        What a customer of each segment is worth on average; empty without a value column, None where it is not known.
    coding : Coding or None, default=None
        Discrete columns that it reads too.
    reference : Reference or None, default=None
        Sums of the rows it was learned from, with which later rows are compared; see `with_reference`.
    statistics : ModelStatistics or None, default=None
        Sums of the rows it was learned from, to which further rows can be added; see `update_model`.
    groups : tuple of tuple of int, default=()
        The components of each segment, from 0, where components that overlap were merged; empty where each is one.
    """

    mixture: Mixture
    columns: tuple[str, ...]
    scaling: Scaling
    names: tuple[str, ...]
    anomaly_percentile: float
    anomaly_threshold: float | None
    training: TrainingInfo
    mixtura_version: str
    automatic_names: tuple[str, ...] = ()
    mean_values: tuple[float | None, ...] = ()
    coding: Coding | None = None
    reference: Reference | None = None
    statistics: ModelStatistics | None = None
    groups: Groups = ()

    @property
    def n_segments(self) -> int:
        return len(self.groups) or self.mixture.n_components

    @property
    def segment_mixture(self) -> Mixture:
        """The mixture with a component per segment: where it lies and how wide it is, see `united`."""
        return united(self.mixture, self.groups)

    @property
    def discrete_columns(self) -> tuple[str, ...]:
        """Counts and categories that it reads beside `columns`."""
        return () if self.coding is None else self.coding.names

    def memberships(self, rows: RowTable) -> FloatArray:
        """Return the probability of each segment, shape (N, K), for rows of shape (N, D) in the user's units."""
        return grouped(self.mixture.responsibilities(self.scaling.seen(rows)), self.groups)

    def log_density(self, rows: RowTable) -> FloatArray:
        """Return the log density of each row, shape (N,): per unit of the user's columns, in nats.

        Where values are missing it is that expected of the whole row, so that rows can be compared. A row at a point
        mass has the logarithm of its probability in place of a density per unit of that column, and levels their
        probabilities.
        """
        seen = self.scaling.seen(rows)
        scaled = continuous_rows(seen)
        density = self.mixture.log_density(seen)
        if np.isnan(scaled).any():
            density += expected_log_density(self.mixture, scaled, self.mixture.responsibilities(seen))
        plain = continuous_rows(rows)
        return np.asarray(density + self.scaling.log_jacobian(self.scaling.masked(plain)))

    def drivers(self, rows: FloatArray) -> FloatArray:
        """Return how much each column adds to the distance of some customers, shape (n, D); each row sums to one.

        Missing values add nothing.

        Parameters
        ----------
        rows : ndarray of shape (n, D)
            In the user's units.
        """
        from mixtura.core.explanation.contributions import column_contributions
        from mixtura.core.impute import conditional_means

        scaling = self.scaling
        scaled = scaling.apply(scaling.masked(rows))
        missing = np.isnan(scaled)
        if missing.any():
            scaled = conditional_means(self.mixture, scaled)
        parts = np.where(missing, 0.0, column_contributions(self.mixture, scaled))
        totals = parts.sum(axis=1, keepdims=True)
        return np.asarray(parts / np.where(totals > 0, totals, 1.0))

    def in_user_units(self) -> Mixture:
        """Return the mixture of the rows as the user knows them.

        Raises
        ------
        ParameterError
            A column is transformed: after a nonlinear transform the components are not Gaussian in the original units.
        """
        if not self.scaling.is_affine:
            raise ParameterError(
                f"Columns are transformed ({', '.join(self.transformed_columns)}); a mixture in the user's units "
                "requires that none is. Try in_transformed_units(), with scaling.transformed(rows)."
            )
        return self.in_transformed_units()

    def in_transformed_units(self) -> Mixture:
        """Return the mixture of ``scaling.transformed(rows)``: where nothing is transformed, of the user's rows."""
        return self.mixture.affine(self.scaling.scale, self.scaling.center)

    @property
    def transformed_columns(self) -> tuple[str, ...]:
        """What the columns of `in_transformed_units` are called, such as "log1p of revenue"."""
        return tuple(
            name if transform.kind == "none" else f"{transform.kind} of {name}"
            for name, transform in zip(self.columns, self.transforms, strict=True)
        )

    def to_json(self) -> str:
        """Return the text of a model file."""
        mixture = self.mixture
        content = {
            "mixtura_version": self.mixtura_version,
            "columns": list(self.columns),
            "segments": list(self.names),
            "automatic_names": list(self.automatic_names or self.names),
            "mean_values": list(self.mean_values),
            "scaling": {
                "center": self.scaling.center.tolist(),
                "scale": self.scaling.scale.tolist(),
                "transforms": [
                    {"kind": transform.kind, **transform.parameters()} for transform in self.transforms
                ],
            },
            "mixture": {
                "covariance_type": mixture.covariance_type,
                "weights": mixture.weights.tolist(),
                "means": mixture.means.tolist(),
                "covariances": mixture.covariances.tolist(),
            },
            "anomaly": {
                "percentile": float(self.anomaly_percentile),
                "log_density_threshold": self.anomaly_threshold,
            },
            "training": self.training.content(),
        }
        parts = discrete_content(self.coding, mixture, self.scaling.spikes) | robust_content(mixture)
        kept = reference_content(self.reference)
        if self.statistics is not None:
            kept["statistics"] = statistics_content(self.statistics)
        if self.groups:
            kept["groups"] = [list(group) for group in self.groups]
        return dump_document(content | parts | kept)

    @property
    def transforms(self) -> tuple[Transform, ...]:
        """What is done to each column before it is scaled, length D."""
        return self.scaling.transforms or (IDENTITY,) * len(self.columns)

    def to_sql(
        self,
        dialect: DialectName,
        *,
        table: str | Sequence[str],
        id_column: str | Sequence[str] | None = None,
        max_missing: int | None = None,
    ) -> str:
        """Return a SELECT that assigns the rows of a database table as `assign_table` does.

        The result has the columns of the tables that mixtura writes: the id, the number and the name of the segment,
        certainty, the probability of each segment, log density and anomaly. Rows that lack more than `max_missing`
        values, and rows with a value beyond 1e100 (1e50 in a transformed column), have NULL in all of them.

        Parameters
        ----------
        dialect : {"bigquery", "clickhouse", "datafusion", "duckdb", "firebird", "mariadb", "polars", "postgresql", \
"snowflake", "spark", "sqlite"}
        table : str or sequence of str
            Its name; parts such as a schema are separated by dots, a part with a dot in it stands in double quotes. A
            sequence has the parts as they are. ``{{ ... }}`` stays as it is, for dbt.
        id_column : str, sequence of str or None, default=None
            Columns handed on to the result; by default the one that the model was learned with.
        max_missing : int or None, default=None
            How many values a row may lack; 0 for none, as `drop_missing=True` has it. By default all but one of up to
            six columns; of more, as many as can be missing in 64 ways, which is two of ten columns. Fewer where that
            makes the statement too long: its second line says how many.

        Raises
        ------
        ParameterError
            There is no such dialect, a name cannot be written in it, or the statement is too long for it.

        Examples
        --------
        >>> from mixtura import Segmentation
        >>> from mixtura.datasets import make_customers
        >>> model = Segmentation.fit(make_customers(as_frame="polars"), components=[3]).model
        >>> statement = model.to_sql("duckdb", table="crm.customers")
        >>> [line for line in statement.splitlines() if "customers" in line]
        ['FROM "crm"."customers" t']
        """
        ids = self._ids(id_column)
        from mixtura.io.export import scoring_sql

        return scoring_sql(self.scorer("SQL"), dialect, table=table, id_columns=ids, max_missing=max_missing)

    def to_onnx(self, *, max_missing: int | None = None) -> Any:
        """Return an ONNX model that assigns rows as `assign_table` does, in double precision.

        Its input is ``rows``, of shape (N, D) and type double: the columns in the order of `columns`, in the user's
        units, NaN where a value is missing. Its outputs are ``segment``, from 1 and 0 for none, ``probabilities`` of
        shape (N, K), ``log_density`` and ``anomaly``. Save it with ``onnx.save(model.to_onnx(), "model.onnx")``.

        Parameters
        ----------
        max_missing : int or None, default=None
            How many values a row may lack, see `to_sql`; a row that lacks more is in no segment.

        Returns
        -------
        onnx.ModelProto

        Raises
        ------
        ParameterError
            `max_missing` is negative.
        OptionalDependencyError
            The package onnx is not installed.
        """
        from mixtura.io.export import scoring_onnx

        return scoring_onnx(self.scorer("ONNX"), max_missing=max_missing)

    def _ids(self, id_column: str | Sequence[str] | None) -> tuple[str, ...]:
        chosen = self.training.id_column if id_column is None else id_column
        return (chosen,) if isinstance(chosen, str) else tuple(chosen or ())

    def scorer(self, form: str = "a formula") -> Scorer:
        """Return what exports write: the mixture, and how columns become its rows; `form` is what errors call it."""
        require_gaussian(self.mixture, form)
        return Scorer(
            self.mixture, self.columns, self.scaling.column_scales(), self.names, self.anomaly_threshold,
            spikes=self.scaling.spikes, discrete=discrete_parts(self.coding, self.mixture),
            missing_codes=codes_by_column(self.training.missing_codes, self.columns), groups=self.groups,
        )  # fmt: skip

    def renamed(self, names: Mapping[str | int, str]) -> SegmentModel:
        """Return the model with other names for some segments; see `rename_segments`.

        Parameters
        ----------
        names : mapping of str or int to str
            From a segment's number or automatic name to what it shall be called.

        Raises
        ------
        ParameterError
            A key is not a segment, a segment is named twice, or two would have the same name.
        """
        automatic = self.automatic_names or self.names
        return replace(self, names=rename_segments(self.names, automatic, names), automatic_names=automatic)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write a model file; all of it or nothing.

        Raises
        ------
        OutputError
            The file exists and `overwrite` is False, or it cannot be written.
        """
        save_text(path, self.to_json(), overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path) -> SegmentModel:
        """Read a model file.

        Raises
        ------
        ModelFileError
            It is missing, truncated, altered, of a newer format, or not consistent.
        """
        document = read_document(path)
        values = document.mixture
        # Weights are divided by their sum when a mixture is built, which may change their last digit.
        mixture = replace(values.build(document.noise), weights=np.array(values.weights))
        coding, mixture = read_discrete(document.discrete, mixture)
        mixture = read_robust(document.robust, mixture)
        return cls(
            mixture=mixture,
            columns=tuple(document.columns),
            scaling=Scaling(
                np.array(document.scaling.center),
                np.array(document.scaling.scale),
                tuple(build_transform(**one.model_dump()) for one in document.scaling.transforms),
                () if document.discrete is None else tuple(map(tuple, document.discrete.spikes)),
            ),
            coding=coding,
            reference=read_reference(document.reference, mixture.n_components),
            statistics=read_statistics(document.statistics, mixture.family.name, mixture.means),
            names=tuple(document.segments),
            automatic_names=tuple(document.automatic_names),
            mean_values=tuple(document.mean_values),
            anomaly_percentile=document.anomaly.percentile,
            anomaly_threshold=document.anomaly.log_density_threshold,
            training=TrainingInfo.read(document.training.model_dump()),
            mixtura_version=document.mixtura_version,
            groups=tuple(map(tuple, document.groups)),
        )
