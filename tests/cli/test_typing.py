"""``mixtura typing``: a folder of tools, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl

from mixtura.segments import SegmentModel, assign_table


def test_a_folder_of_tools(run, model, customers, workplace: Path) -> None:
    done = run("typing", model, customers, "--questions", "1", "--sql", "postgresql", "--table", "crm.people")
    text = " ".join(done.output.split())
    assert done.exit_code == 0, done.output
    assert "1 question of 2 assign" in text
    document = json.loads((workplace / "typing" / "typing.json").read_text(encoding="utf-8"))
    assert len(document["questions"]) == 1
    assert len(document["curve"]) == 2
    assert document["agreement"] == document["curve"][0]["agreement"]
    assert 'FROM "crm"."people" t' in (workplace / "typing" / "typing.sql").read_text(encoding="utf-8")
    asked = document["questions"][0]["column"]
    small = SegmentModel.load(workplace / "typing" / "model.json")
    found = assign_table(small, pl.read_csv(workplace / customers.name))
    whole = assign_table(SegmentModel.load(workplace / model), pl.read_csv(workplace / customers.name))
    assert small.columns == (asked,)
    assert np.mean(found.labels == whole.labels) > document["base_rate"]


def test_what_is_refused_leaves_nothing(refused, model, customers, workplace: Path) -> None:
    before = sorted(path.name for path in workplace.iterdir())
    assert "--columns must name columns of the model" in refused(
        "typing", model, customers, "--columns", "shoes"
    )
    assert "--questions must be" in refused("typing", model, customers, "--questions", "3")
    assert sorted(path.name for path in workplace.iterdir()) == before
