"""Everything mixtura raises.

::

    MixturaError
    ├── ParameterError (ValueError)            a parameter out of its range
    ├── DataError (ValueError)                 rows that cannot be used
    │   ├── MissingValuesError                 NaN or infinity; `.columns`, `.rows`, `.count`
    │   └── TooFewRowsError                    fewer rows than components
    ├── IllDefinedCovarianceError (ValueError) a covariance that is not positive definite and no floor was allowed
    ├── KernelUnavailableError (RuntimeError)  a kernel was asked for by name that this machine lacks
    ├── OptionalDependencyError (ImportError)  a library of an extra is missing; `.package`, `.extra`
    ├── TableError (ValueError)                a table file that cannot be read, or lacks what is needed
    │   └── ColumnError                        a column missing, duplicated, or not numeric; `.column`, `.closest`
    ├── ModelFileError (ValueError)            a model file truncated, altered, or of a newer format
    ├── CheckpointError (OSError)              a checkpoint that cannot be written, or is of another run
    ├── OutputError (OSError)                  a place that cannot be written, or must not be overwritten
    └── ClusterError (ConnectionError)         a cluster that cannot be reached, was lost, or lacks something

Every message names the parameter by its Python name in backquotes, what is required, what was given, and what to try:
"`tol` must be non-negative; got -1.0. Try `tol=1e-3`." The command line shows the same texts with its own options.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "CheckpointError",
    "ClusterError",
    "ColumnError",
    "ColumnWarning",
    "DataError",
    "IllDefinedCovarianceError",
    "KernelUnavailableError",
    "MissingValuesError",
    "MixturaError",
    "ModelFileError",
    "OptionalDependencyError",
    "OutputError",
    "ParameterError",
    "TableError",
    "TooFewRowsError",
]


class MixturaError(Exception):
    """Base of everything mixtura raises."""


class ParameterError(MixturaError, ValueError):
    """A parameter is out of its range."""


class DataError(MixturaError, ValueError):
    """The rows cannot be used."""


class MissingValuesError(DataError):
    """There are NaN or infinite values.

    Attributes
    ----------
    columns : tuple of str
        Names of the columns that hold them.
    rows : tuple of int
        The first few row numbers, from 0.
    count : int
        How many values are missing or infinite.
    """

    def __init__(
        self, message: str, *, columns: Sequence[str] = (), rows: Sequence[int] = (), count: int = 0
    ) -> None:
        super().__init__(message)
        self.columns = tuple(columns)
        self.rows = tuple(rows)
        self.count = count


class TooFewRowsError(DataError):
    """There are fewer rows than components."""


class IllDefinedCovarianceError(MixturaError, ValueError):
    """A covariance is not positive definite, and no floor (`reg_covar=0`) was allowed."""


class KernelUnavailableError(MixturaError, RuntimeError):
    """The kernel asked for by name is not available on this machine."""


class OptionalDependencyError(MixturaError, ImportError):
    """A library that belongs to an extra is not installed.

    Attributes
    ----------
    package, extra : str
        The missing package, and the extra of mixtura that installs it.
    """

    def __init__(self, message: str, *, package: str, extra: str) -> None:
        super().__init__(message)
        self.package = package
        self.extra = extra


class TableError(MixturaError, ValueError):
    """A table cannot be read, or lacks what is needed."""


class ColumnError(TableError):
    """A column is missing, duplicated, or not numeric.

    Attributes
    ----------
    column : str
        The column in question.
    closest : tuple of str
        Existing columns with a similar name.
    """

    def __init__(self, message: str, *, column: str, closest: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.column = column
        self.closest = tuple(closest)

    @staticmethod
    def closest_names(name: str, available: Sequence[str]) -> tuple[str, ...]:
        """Return up to three columns with similar names; one that differs only in capital letters is the only one."""
        from difflib import get_close_matches

        return tuple(column for column in available if column.lower() == name.lower()) or tuple(
            get_close_matches(name, available, n=3, cutoff=0.5)
        )

    @classmethod
    def missing(cls, name: str, available: Sequence[str], parameter: str) -> ColumnError:
        """Return the error for a column that a table lacks; it suggests those with the closest names.

        Parameters
        ----------
        name : str
            The column that was asked for.
        available : sequence of str
            The columns that the table has.
        parameter : str
            The parameter that names it.

        Examples
        --------
        >>> from mixtura.exceptions import ColumnError
        >>> print(ColumnError.missing("incme", ["income", "age"], "columns"))
        `columns` names 'incme', and the table has no such column. It has: 'income', 'age'. Did you mean 'income'?
        """
        closest = cls.closest_names(name, available)
        listed = ", ".join(repr(column) for column in available[:20])
        more = f" and {len(available) - 20} more" if len(available) > 20 else ""
        hint = f"Did you mean {closest[0]!r}?" if closest else "Choose one of them."
        return cls(
            f"`{parameter}` names {name!r}, and the table has no such column. It has: {listed}{more}. {hint}",
            column=name,
            closest=closest,
        )


class ColumnWarning(UserWarning):
    """Columns of numbers are left out, or cells of them count as missing; the command line prints both."""


class ModelFileError(MixturaError, ValueError):
    """A model file is truncated, altered, or of a format newer than this version reads."""


class CheckpointError(MixturaError, OSError):
    """A checkpoint cannot be written, or is not of the run that is to go on."""


class OutputError(MixturaError, OSError):
    """A place cannot be written, or must not be overwritten."""


class ClusterError(MixturaError, ConnectionError):
    """A cluster cannot be reached, was lost during a fit, or lacks what a fit needs."""
