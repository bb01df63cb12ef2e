"""Survey files of known content, written by pyreadstat, whose writer is ReadStat's and not the product's."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

N_ROWS = 600


def survey_frame(n: int = N_ROWS, seed: int = 0) -> pl.DataFrame:
    """Two groups of respondents: the young, on low incomes and trusting, and the old, on high ones."""
    rng = np.random.default_rng(seed)
    old = rng.random(n) < 0.4
    income = np.round(rng.normal(np.where(old, 5200, 2300), 450), 1)
    income[rng.random(n) < 0.05] = 98.0
    return pl.DataFrame(
        {
            "resp": np.arange(1.0, n + 1),
            "age": np.round(rng.normal(np.where(old, 61, 33), 6)),
            "income": income,
            "sex": rng.integers(1, 3, n).astype(float),
            "trust": np.clip(np.round(rng.normal(np.where(old, 3, 7), 1.6)), 0, 10),
            "party": rng.choice([1.0, 2.0, 3.0, 8.0], n, p=[0.4, 0.3, 0.2, 0.1]),
            "weight": np.round(np.exp(rng.normal(0, 0.5, n)), 4),
        }
    )


WORDS: dict[str, Any] = {
    "column_labels": {
        "age": "Age of respondent",
        "income": "Net income of the household, euros a month",
        "trust": "How much do you trust the parliament?",
        "party": "Party voted for in the last election",
    },
    "variable_value_labels": {
        "sex": {1: "Male", 2: "Female"},
        "trust": {0: "No trust at all", 10: "Complete trust"},
        "party": {1: "Left", 2: "Center", 3: "Right", 8: "Refused"},
        "income": {98: "Don't know"},
    },
}
OF_SPSS: dict[str, Any] = {
    "missing_ranges": {"income": [{"lo": 97, "hi": 99}]},
    "variable_measure": {
        "age": "scale", "income": "scale", "sex": "nominal", "trust": "scale", "party": "nominal",
    },
}  # fmt: skip


def write_sav(
    path: Path, frame: pl.DataFrame | None = None, weight: str | None = None, **options: Any
) -> Path:
    """Write a survey, with a weight variable in its header, which pyreadstat cannot write: all columns are numbers."""
    import pyreadstat

    frame = survey_frame() if frame is None else frame
    pyreadstat.write_sav(frame, str(path), **(WORDS | OF_SPSS | options))
    if weight is not None:
        content = bytearray(path.read_bytes())
        struct.pack_into("<i", content, 76, frame.columns.index(weight) + 1)
        path.write_bytes(content)
    return path


def write_dta(path: Path, frame: pl.DataFrame | None = None) -> Path:
    import pyreadstat

    pyreadstat.write_dta(survey_frame() if frame is None else frame, str(path), **WORDS)
    return path
