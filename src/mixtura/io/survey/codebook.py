"""What a file of a statistics program says of its columns: labels, measurement levels, codes of missing values."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["NO_CODEBOOK", "Codebook", "CodebookColumn", "code_text", "codebook_of", "with_codebook"]

_KEY = b"mixtura"
"""Of the metadata of an Arrow schema."""


@dataclass(frozen=True, slots=True)
class CodebookColumn:
    """What is known of a column.

    Parameters
    ----------
    label : str, default=""
        What the column holds, in words; in surveys the question.
    labels : mapping of str to str, default={}
        What codes mean, by their text.
    measure : {"", "nominal", "ordinal", "scale"}, default=""
        The measurement level; empty where the file does not say.
    missing : mapping of str to int, default={}
        Codes that are declared missing, and are missing in the table, with the number of cells.
    """

    label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    measure: str = ""
    missing: Mapping[str, int] = field(default_factory=dict)

    def shown(self, codes: Sequence[str]) -> tuple[str, ...]:
        """Return what codes are called: by their labels where all have one, else with the code in front.

        Codes of the same label are distinguished by their codes.

        Examples
        --------
        >>> from mixtura.io.survey.codebook import CodebookColumn
        >>> column = CodebookColumn(labels={"1": "Male", "2": "Female"})
        >>> column.shown(["1", "2"]), column.shown(["1", "2", "3"])
        (('Male', 'Female'), ('1 Male', '2 Female', '3'))
        """
        if not all(code in self.labels for code in codes):
            return tuple(f"{code} {self.labels[code]}" if code in self.labels else code for code in codes)
        times = Counter(self.labels[code] for code in codes)
        named = [(code, self.labels[code]) for code in codes]
        return tuple(label if times[label] == 1 else f"{label} ({code})" for code, label in named)


_NOTHING = CodebookColumn()


@dataclass(frozen=True, slots=True)
class Codebook:
    """What a file says of its columns.

    Parameters
    ----------
    columns : mapping of str to CodebookColumn, default={}
        By name; columns of which nothing is known may be left out.
    weight : str or None, default=None
        The column that the file declares as the weight of its rows.
    """

    columns: Mapping[str, CodebookColumn] = field(default_factory=dict)
    weight: str | None = None

    def column(self, name: str) -> CodebookColumn:
        """Return what is known of a column."""
        return self.columns.get(name, _NOTHING)


NO_CODEBOOK = Codebook()
"""Of tables of other sources."""


def code_text(value: Any) -> str:
    """Return a code as text; whole numbers without a point.

    Examples
    --------
    >>> from mixtura.io.survey.codebook import code_text
    >>> code_text(98.0), code_text(1.5), code_text("A")
    ('98', '1.5', 'A')
    """
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def with_codebook(table: pa.Table, codebook: Codebook) -> pa.Table:
    """Return an Arrow table that carries a codebook in the metadata of its schema."""
    content = {
        "weight": codebook.weight,
        "columns": {name: asdict(column) for name, column in codebook.columns.items()},
    }
    return table.replace_schema_metadata({_KEY: json.dumps(content).encode()})


def codebook_of(frame: Any) -> Codebook:
    """Return the codebook that a table carries; an empty one for tables of other sources.

    Parameters
    ----------
    frame : dataframe
        Arrow tables that `read_table` made carry one, and dataframes of `pandas.read_spss` what it is made of; in these
        labels stand in the place of codes.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from mixtura.io.survey.codebook import Codebook, codebook_of, with_codebook
    >>> codebook_of(with_codebook(pa.table({"w": [0.5, 2.0]}), Codebook(weight="w"))).weight
    'w'
    >>> codebook_of([[1.0]]).weight is None
    True
    """
    attributes = getattr(frame, "attrs", None)
    if isinstance(attributes, Mapping) and "variable_value_labels" in attributes:
        return _of_attributes(attributes)
    metadata = getattr(getattr(frame, "schema", None), "metadata", None)
    held = metadata.get(_KEY) if isinstance(metadata, Mapping) else None
    if held is None:
        return NO_CODEBOOK
    content = json.loads(held)
    columns = {name: CodebookColumn(**column) for name, column in content["columns"].items()}
    return Codebook(columns, content["weight"])


def _of_attributes(attributes: Mapping[Any, Any]) -> Codebook:
    """Return the codebook of a dataframe of `pandas.read_spss`, under the names of pyreadstat."""
    labels = attributes["variable_value_labels"]
    named, measures = attributes.get("column_names_to_labels", {}), attributes.get("variable_measure", {})
    columns = {
        str(name): CodebookColumn(
            named.get(name) or "",
            {code_text(code): str(text) for code, text in labels.get(name, {}).items()},
            measures.get(name, "") if measures.get(name) != "unknown" else "",
        )
        for name in {*labels, *named, *measures}
    }
    return Codebook(columns)
