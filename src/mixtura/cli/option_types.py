"""Options of the commands: their types, help texts and parsers."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mixtura.exceptions import ParameterError

__all__ = [
    "ColumnKinds",
    "Columns",
    "Components",
    "CovarianceTypes",
    "Criterion",
    "Describe",
    "DropMissing",
    "Folds",
    "IdColumn",
    "MinShare",
    "MissingCode",
    "ModelFile",
    "Overwrite",
    "Prior",
    "Progress",
    "Quiet",
    "Robust",
    "Seed",
    "Starts",
    "Transforms",
    "Value",
    "Weight",
    "parse_components",
    "parse_kinds",
    "parse_missing_codes",
    "parse_names",
    "parse_prior",
    "parse_transform",
    "search_options",
]


def parse_prior(text: str) -> str | float:
    """Return a number if the text is one, else the text.

    Examples
    --------
    >>> from mixtura.cli.option_types import parse_prior
    >>> parse_prior("conjugate"), parse_prior("0.001")
    ('conjugate', 0.001)
    """
    try:
        return float(text)
    except ValueError:
        return text


ModelFile = Annotated[Path, typer.Argument(help="A model.json that mixtura segment wrote.")]
Columns = Annotated[
    list[str] | None,
    typer.Option(help="Columns to use, separated by commas. [default: all that describe customers]"),
]
Components = Annotated[
    str | None, typer.Option(help="Numbers of components to try: 3, 1-9 or 2,4,6. [default: 1-9]")
]
CovarianceTypes = Annotated[
    list[str] | None,
    typer.Option(
        help="full, tied, diag, spherical, mclust's names (EII to VVV), or all; separated by commas. "
        "[default: the first four]"
    ),
]
Criterion = Annotated[
    str,
    typer.Option(
        help="Criterion for choosing the model: bic, aic, aicc, caic, mmdl, icl, nec, or cv (held-out log-likelihood)."
    ),
]
Folds = Annotated[int | None, typer.Option(help="Number of folds of cv. [default: 10]")]
Prior = Annotated[
    str,
    typer.Option(
        help="Regularization of covariances: floor; or conjugate, mclust's prior, which pulls small segments "
        "toward the width of the table; or a number to add to the variance of each standardized column.",
        parser=parse_prior,
        metavar="TEXT",
    ),
]
MinShare = Annotated[
    float,
    typer.Option(
        help="Least share of the smallest segment, such as 0.05: models with a smaller one are excluded."
    ),
]
Robust = Annotated[
    str,
    typer.Option(
        help="Models for outliers: noise (rows that belong to no component), t (components with heavier tails), "
        "none, or auto, where the criterion decides."
    ),
]
Starts = Annotated[
    int, typer.Option(help="Starts of a model: four, and one more for each above 1; the best is kept.")
]
Seed = Annotated[int, typer.Option(help="Random seed.")]
IdColumn = Annotated[
    str | None, typer.Option("--id", help="The column that identifies customers. [default: detected]")
]
Describe = Annotated[
    list[str] | None,
    typer.Option(
        help="Descriptive columns of any kind, separated by commas: they profile the segments only. [default: none]"
    ),
]
Value = Annotated[str | None, typer.Option(help="The column with the value of a customer, such as revenue.")]
Weight = Annotated[
    str | None,
    typer.Option(
        help="The column with the weight of a customer; none to refuse the weight that a survey file declares."
    ),
]
MissingCode = Annotated[
    list[str] | None,
    typer.Option(
        help="Numbers that stand for missing values: 99 in all columns, or income=97,income=98 in one. "
        "[default: those that a survey file declares]"
    ),
]
Transforms = Annotated[
    list[str] | None,
    typer.Option(
        "--transform",
        help="auto, log1p, yeo-johnson, winsorize or none, for all columns; or revenue=log1p,visits=none. "
        "[default: none]",
    ),
]
ColumnKinds = Annotated[
    list[str] | None,
    typer.Option(
        "--kind",
        help="auto: amounts with point masses, counts, ordered answers and categories are found, and build segments as "
        "what they are; continuous: numbers alone; or visits=count,region=category, the others as auto says. "
        "[default: auto]",
    ),
]
DropMissing = Annotated[
    bool,
    typer.Option(
        "--drop-missing",
        help="Leave rows with missing values unassigned, instead of using the values that they have.",
    ),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option(
        help="A file that keeps the models that are fitted, so that the same command goes on after an interruption."
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace earlier results.")]
Progress = Annotated[
    bool,
    typer.Option(
        "--progress", help="Report progress as lines on standard error where that is not a terminal."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors.")]

_MOST = 10_000


def search_options(
    *,
    columns: Sequence[str] | None,
    components: str | None,
    covariance_type: Sequence[str] | None,
    transform: Sequence[str] | None,
    kind: Sequence[str] | None,
    missing_code: Sequence[str] | None,
    criterion: str,
    n_folds: int | None,
    seed: int,
    describe: Sequence[str] | None = None,
    **as_they_are: Any,
) -> dict[str, Any]:
    """Return options of ``select`` and ``segment`` as `mixtura.segments` takes them: texts parsed, under its names.

    Raises
    ------
    ParameterError
        A text cannot be parsed, or folds are asked of a criterion that has none.
    """
    if n_folds is not None and criterion != "cv":
        raise ParameterError(
            f"--n-folds {n_folds} was given with --criterion {criterion}, which holds out no rows. Only cv has folds. "
            "Try --criterion cv."
        )
    return as_they_are | {
        "columns": parse_names(columns),
        "components": None if components is None else parse_components(components),
        "covariance_types": parse_names(covariance_type),
        "transform": parse_transform(transform),
        "kinds": parse_kinds(kind),
        "missing_codes": parse_missing_codes(missing_code),
        "criterion": criterion,
        **({} if n_folds is None else {"n_folds": n_folds}),
        **({} if describe is None else {"describe": parse_names(describe, "--describe") or ()}),
        "keep_interrupted": True,
        "random_state": seed,
    }


def parse_components(text: str) -> list[int]:
    """Return numbers of components from ``"3"``, ``"1-9"``, ``"2,4,6"`` or a mixture of them.

    Raises
    ------
    ParameterError
        It is none of these, a range runs backwards, or a number is below 1.

    Examples
    --------
    >>> from mixtura.cli.option_types import parse_components
    >>> parse_components("1-3,6")
    [1, 2, 3, 6]
    """
    counts: set[int] = set()
    for part in text.split(","):
        low, dash, high = (piece.strip() for piece in part.partition("-"))
        if not low.isdecimal() or (dash and not high.isdecimal()):
            raise ParameterError(_bad(text, "not a number or a range"))
        first, last = int(low), int(high) if dash else int(low)
        if first < 1:
            raise ParameterError(_bad(text, "a model needs at least one component"))
        if last < first:
            raise ParameterError(_bad(text, f"the range {part.strip()} runs backwards"))
        if last > _MOST:
            raise ParameterError(_bad(text, f"more than {_MOST} components are too many"))
        counts.update(range(first, last + 1))
    return sorted(counts)


def _bad(text: str, why: str) -> str:
    return (
        f"--components {text!r} cannot be used: {why}. Whole numbers from 1 are required: one, a range, or a list. "
        "Try 3, 1-9 or 2,4,6."
    )


def parse_names(texts: Sequence[str] | None, option: str = "--columns") -> list[str] | None:
    """Return column names from one or several comma-separated lists; a name with a comma stands in quotes.

    Examples
    --------
    >>> from mixtura.cli.option_types import parse_names
    >>> parse_names(["income, spending", '"Income, net"'])
    ['income', 'spending', 'Income, net']
    """
    if not texts:
        return None
    names = _parts(texts)
    if not names:
        raise ParameterError(
            f"{option} {list(texts)!r} names no column. At least one is required. Leave it out"
            f"{' to use all' if option == '--columns' else ''}."
        )
    return names


def parse_transform(texts: Sequence[str] | None) -> str | dict[str, str]:
    """Return what each column is transformed by: one word for all columns, or ``COLUMN=WORD`` for some.

    A word without a column is for all columns that are not named.

    Raises
    ------
    ParameterError
        Nothing is named, or a column or "all others" twice. Whether there are such columns and transforms, the library
        says.

    Examples
    --------
    >>> from mixtura.cli.option_types import parse_transform
    >>> parse_transform(["auto"]), parse_transform(["revenue=log1p,visits=none"])
    ('auto', {'revenue': 'log1p', 'visits': 'none'})
    >>> parse_transform(["auto", "visits=none"])
    {'*': 'auto', 'visits': 'none'}
    """
    if not texts:
        return "none"
    return _words_by_column("--transform", texts, "auto, or revenue=log1p,visits=none")


def parse_kinds(texts: Sequence[str] | None) -> str | dict[str, str]:
    """Return what columns are taken for: one word for all columns, or ``COLUMN=KIND`` for some.

    Raises
    ------
    ParameterError
        Nothing is named, or a column or "all others" twice. Whether there are such columns and kinds, the library says.

    Examples
    --------
    >>> from mixtura.cli.option_types import parse_kinds
    >>> parse_kinds(None), parse_kinds(["auto"]), parse_kinds(["visits=count,region=category"])
    ('auto', 'auto', {'visits': 'count', 'region': 'category'})
    """
    if not texts:
        return "auto"
    return _words_by_column("--kind", texts, "auto, or visits=count,region=category")


def parse_missing_codes(texts: Sequence[str] | None) -> dict[str, list[float]] | None:
    """Return the numbers that stand for missing values, by column, ``"*"`` for all columns.

    Raises
    ------
    ParameterError
        Nothing is named, or something is not a number.

    Examples
    --------
    >>> from mixtura.cli.option_types import parse_missing_codes
    >>> parse_missing_codes(["income=97,income=98", "-1"])
    {'income': [97.0, 98.0], '*': [-1.0]}
    """
    if not texts:
        return None
    codes: dict[str, list[float]] = {}
    for part in _parts(texts):
        column, equals, number = part.rpartition("=")
        try:
            codes.setdefault(column.strip() if equals else "*", []).append(float(number))
        except ValueError as error:
            raise ParameterError(
                f"--missing-code {part!r} cannot be used: {number!r} is not a number. A number, or COLUMN=NUMBER, is "
                "required. Try --missing-code income=97,income=98."
            ) from error
    return codes or None


def _words_by_column(option: str, texts: Sequence[str], example: str) -> str | dict[str, str]:
    asked: dict[str, str] = {}
    for part in _parts(texts):
        column, equals, word = part.rpartition("=")
        name = column.strip() if equals else "*"
        if name in asked or not word.strip():
            raise ParameterError(
                f"{option} {', '.join(texts)!r} cannot be used: {part!r} is empty or repeats a column. One word "
                f"for all columns, or COLUMN=WORD for each, is required. Try {example}."
            )
        asked[name] = word.strip()
    if not asked:
        raise ParameterError(
            f"{option} {', '.join(texts)!r} is empty. A word or COLUMN=WORD is required. Try auto."
        )
    return asked["*"] if list(asked) == ["*"] else asked


def _parts(texts: Sequence[str]) -> list[str]:
    return [part.strip() for row in csv.reader(texts, skipinitialspace=True) for part in row if part.strip()]
