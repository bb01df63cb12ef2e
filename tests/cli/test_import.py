"""``mixtura import``: models of other programs become model files."""

from __future__ import annotations

from pathlib import Path

import pytest

FOREIGN = Path(__file__).resolve().parents[1] / "reference" / "foreign"


def test_a_model_of_mclust_is_shown_and_exported(run, workplace) -> None:
    pytest.importorskip("rdata")
    done = run("import", FOREIGN / "mclust_VVV.rds", "--output", "old.json")
    assert done.exit_code == 0, done.output
    assert "Imported from  mclust_VVV.rds of mclust" in done.output
    assert done.output.endswith("Written: old.json\n")
    assert "Chosen by" not in run("show", "old.json").output
    statement = run("export", "old.json", "--sql", "sqlite", "--table", "eruptions")
    assert 't."eruptions"' in statement.output


def test_columns_are_named_where_the_program_names_none(run, refused) -> None:
    pytest.importorskip("pyarrow")
    folder = FOREIGN / "spark_model"
    assert "--columns is required: Spark ML keeps no names" in refused("import", folder)
    done = run("import", folder, "--columns", "income,spending", "--quiet")
    assert (done.exit_code, done.output) == (0, "")


def test_what_cannot_be_read_leaves_no_file(refused, workplace) -> None:
    pytest.importorskip("rdata")
    (workplace / "old.pkl").write_bytes(b"cos\nsystem\n")
    assert "Loading a pickle runs code" in refused("import", "old.pkl")
    assert "holds no mixture" in refused("import", FOREIGN / "linear_model.rds")
    assert "There is no file" in refused("import", "none.rds")
    assert not (workplace / "model.json").exists()
