"""`assign`, `show`, `demo`, `info`, `--help` and `--version`."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import mixtura
from mixtura.demo import write_look_alike
from mixtura.exceptions import ParameterError
from mixtura.segments import SegmentModel


def test_assigning_the_same_customers_gives_the_same_answer(run, model, customers) -> None:
    done = run("assign", model, customers, "--output", "again.parquet")
    assert done.exit_code == 0, done.output
    first, again = pl.read_parquet("customers-segments/segments.parquet"), pl.read_parquet("again.parquet")
    assert first.to_dict(as_series=False) == again.to_dict(as_series=False)


def test_columns_are_matched_by_name(run, model, customers, workplace) -> None:
    frame = (
        pl.read_csv(customers, schema_overrides={"id": pl.String})
        .select("spending", "shop", "id", "income")
        .reverse()
    )
    frame.write_csv(workplace / "shuffled.csv")
    done = run("assign", model, "shuffled.csv")
    assert done.exit_code == 0, done.output
    first = pl.read_parquet("customers-segments/segments.parquet").reverse()
    again = pl.read_csv("shuffled-assigned.csv", schema_overrides={"id": pl.String})
    assert again["id"].to_list() == first["id"].to_list()
    np.testing.assert_allclose(again["certainty"], first["certainty"], rtol=1e-12)


def test_missing_values_leave_new_customers_unassigned(run, model, workplace) -> None:
    (workplace / "new.csv").write_text("customer,income,spending\nA-1,45,80\nA-2,,70\n")
    done = run("assign", model, "new.csv", "--drop-missing")
    assert done.exit_code == 0, done.output
    assert "1 row in no segment (customer A-2): a column used has no value there" in done.output
    table = pl.read_csv("new-assigned.csv")
    assert table["customer"].to_list() == ["A-1", "A-2"]
    assert table["segment"].is_null().to_list() == [False, True]


def test_what_was_changed_in_a_new_table_is_printed(run, model, workplace) -> None:
    (workplace / "new.csv").write_text(
        "id,income,spending\na,40,$ 50\nb,41,n.b.\nc,42,51\nd,43,52\ne,44,53\nTotal,210,206\n"
    )
    done = run("assign", model, "new.csv", "--drop-missing")
    assert done.exit_code == 0, done.output
    text = " ".join(done.output.split())
    assert "new.csv: 5 customers" in text
    assert "1 cell is not a number and counts as missing: 'n.b.' in row 2 of 'spending'" in text
    assert "The last row, 'Total', holds totals and not a customer" in text


def test_show_prints_the_model(run, model) -> None:
    printed = run("show", model).output
    for text in (
        "3 segments of customers",
        "customers.csv, 300 rows",
        "seed 0",
        "income, spending",
        "tied",
        "BIC 4,7",
    ):
        assert text in printed, text
    assert mixtura.__version__ in printed


def test_demo_writes_its_table_once(run, workplace) -> None:
    assert run("demo").exit_code == 0
    table = workplace / "customers.csv"
    before = table.read_bytes()
    frame = pl.read_csv(table)
    assert frame.columns == ["customer", "income", "spending"]
    assert frame["customer"].to_list() == list(range(300))
    np.testing.assert_array_equal(
        frame.select("income", "spending").to_numpy(), mixtura.datasets.make_customers()
    )
    assert run("demo").exit_code == 0
    table.write_text("mine\n")
    done = run("demo")
    assert done.exit_code == 2
    assert "exists already" in done.stderr
    assert table.read_text() == "mine\n"
    assert run("demo", "--overwrite").exit_code == 0
    assert table.read_bytes() == before


def test_the_table_of_the_demo_can_be_segmented(run, workplace) -> None:
    assert run("demo", "--output", "demo").exit_code == 0
    done = run("segment", "demo/customers.csv", "--components", "3")
    assert done.exit_code == 0, done.output
    assert pl.read_csv("customers-segments/segments.csv").columns[0] == "customer"


@pytest.mark.parametrize(
    ("table", "file", "make"),
    [
        ("mall", "mall_customers.csv", mixtura.datasets.make_mall_customers),
        ("purchases", "purchases.csv", mixtura.datasets.make_purchases),
    ],
)
def test_demo_writes_the_tables_of_the_worked_cases(run, workplace, table, file, make) -> None:
    done = run("demo", "--table", table, "--output", "tables")
    assert done.exit_code == 0, done.output
    assert "tour" not in done.output
    assert pl.read_csv(workplace / "tables" / file).equals(make(as_frame="polars"))
    (workplace / "tables" / file).write_text("mine\n")
    assert run("demo", "--table", table, "--output", "tables").exit_code == 2
    assert run("demo", "--table", "other").exit_code == 2
    with pytest.raises(ParameterError, match="'other'"):
        write_look_alike("other", file)


def test_info_names_the_kernel(run) -> None:
    printed = run("info").output
    assert mixtura.__version__ in printed
    assert mixtura.build_info()["kernel"] in printed


def test_version(run) -> None:
    assert run("--version").output == f"mixtura {mixtura.__version__}\n"


def test_help_lists_the_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mixtura", "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    for command in ("segment", "select", "assign", "show", "demo", "info"):
        assert command in done.stdout


def test_an_unknown_command_is_refused(run) -> None:
    assert run("segmnt").exit_code == 2


def test_new_customers_are_assigned_by_the_values_that_they_have(run, model, workplace) -> None:
    (workplace / "new.csv").write_text("customer,income,spending\nA-1,45,80\nA-2,,70\nA-3,,\n")
    done = run("assign", model, "new.csv")
    assert done.exit_code == 0, done.output
    text = " ".join(done.output.split())
    assert "1 value is missing, in income (1, 50 %): 1 row of 2 lacks one." in text
    assert "1 row in no segment (customer A-3): none of the columns used has a value there." in text
    table = pl.read_csv("new-assigned.csv")
    assert table["segment"].is_null().to_list() == [False, False, True]
    held = SegmentModel.load(model)
    marginal = held.in_user_units().marginal([1]).responsibilities([[70.0]])[0]
    probabilities = [table[f"probability_{k + 1}"][1] for k in range(held.n_segments)]
    np.testing.assert_allclose(probabilities, marginal, rtol=1e-9)
