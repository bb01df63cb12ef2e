"""The public tables that mclust was asked about, and the files that hold its answers."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

__all__ = ["CLASSES", "COLUMNS", "MCLUST", "answers", "labels_of", "rows_of"]

MCLUST = Path(__file__).parent / "mclust"

COLUMNS = {
    "old_faithful": ["eruptions", "waiting"],
    "diabetes_reaven_miller": ["glucose", "insulin", "sspg"],
    "thyroid_gland": ["RT3U", "T4", "T3", "TSH", "DTSH"],
    "swiss_banknote": ["Length", "Left", "Right", "Bottom", "Top", "Diagonal"],
    "penguins": ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"],
    "mall_customers": ["Annual Income (k$)", "Spending Score (1-100)"],
    "wholesale_customers": ["Fresh", "Milk", "Grocery", "Frozen", "Detergents_Paper", "Delicassen"],
}

CLASSES = {
    "old_faithful": "waiting",
    "diabetes_reaven_miller": "class",
    "thyroid_gland": "Diagnosis",
    "swiss_banknote": "Status",
    "penguins": "species",
}
"""The column that tells the classes apart; of Old Faithful, from 68 minutes on."""


def answers(name: str) -> list[dict[str, str]]:
    with (MCLUST / f"mclust_{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def complete_lines(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return [line for line in csv.DictReader(file) if not {"", "NA"} & {line[c] for c in COLUMNS[table]}]


def rows_of(folder: Path, table: str) -> np.ndarray:
    """Return the complete rows; of the wholesale customers their logarithms."""
    lines = complete_lines(folder, table)
    rows = np.array([[float(line[column]) for column in COLUMNS[table]] for line in lines])
    return np.log(rows) if table == "wholesale_customers" else rows


def labels_of(folder: Path, table: str) -> np.ndarray:
    """Return the classes of the complete rows, numbered from 0."""
    given = [line[CLASSES[table]] for line in complete_lines(folder, table)]
    if table == "old_faithful":
        return (np.array(given, dtype=float) >= 68).astype(int)
    return np.unique(given, return_inverse=True)[1]
