"""What the worked cases say of the real tables, on the real tables."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import polars as pl
import pytest

from mixtura.segments import segment_table
from mixtura.segments.change import drift_over_time

CASES = Path(__file__).resolve().parents[2] / "docs" / "cases"


def statement(page: str) -> str:
    """The SQL of a page, as a shell would hand it over."""
    found = re.search(
        r'^duckdb -c "(.*?)"$', (CASES / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return found[1].replace("\\\n", "")


def said_on_the_real_table(page: str) -> str:
    text = (CASES / page).read_text(encoding="utf-8")
    return " ".join(text[text.index("!!! note") : text.index("## Next")].split())


def test_the_mall(shared_data) -> None:
    frame = pl.read_csv(shared_data / "mall_customers.csv")
    columns = frame.columns[3:]
    said = said_on_the_real_table("mall.md")
    chosen = segment_table(frame, columns=columns, id_column="CustomerID")
    first = chosen.ranking[0]
    assert (first.n_components, first.covariance_type, chosen.model.n_segments) == (8, "tied", 5)
    assert f"BIC {first.bic:,.1f}" in said
    for one in chosen.choice.compared:
        if one.candidate.n_components != 7:
            assert f"by {one.adjusted_rand:.2f}" in said
    five = segment_table(frame, columns=columns, id_column="CustomerID", components=[5])
    for segment in five.segments:
        income, score = segment.means
        assert re.search(rf"\b{segment.count} (in the middle|who)", said)
        assert re.search(
            rf"\({'income ' * (segment.number == 1)}{income:.0f}, (score )?{score:.0f}[;)]", said
        )


def test_purchases(shared_data, workplace) -> None:
    raw = (shared_data / "cdnow_transactions.csv").read_text(encoding="utf-8")
    Path("purchases.csv").write_text(raw, encoding="utf-8")
    duckdb.sql(statement("purchases.md"))
    frame = pl.read_csv("rfm.csv")
    said = said_on_the_real_table("purchases.md")
    assert f"{len(frame):,} came back" in said
    logs = {"purchases": "log1p", "spent": "log1p"}
    result = segment_table(
        frame, id_column="customer_id", transform=logs, components=[3], covariance_types=["tied"]
    )
    frame = frame.with_columns(pl.Series("segment", result.assignment.labels))
    for _, members in frame.group_by("segment"):
        days, purchases, spent = members.select(
            pl.median("days_since_purchase"), pl.median("purchases"), pl.median("spent")
        ).row(0)
        share = len(members) / len(frame)
        told = (
            f"{share:.0%}".replace("%", " %")
            + f" ({purchases:.0f} purchases, {spent:.0f} dollars, {days:.0f} days"
        )
        assert told in said


def test_the_numbers_of_purchases_per_customer_are_those_of_a_naive_count(workplace) -> None:
    lines = ["customer_id,date,number_of_cds,dollar_value"]
    lines += [
        "1,19970110,1,10.0",
        "2,19970301,2,20.5",
        "1,19980630,1,5.25",
        "2,19970302,1,1.0",
        "2,19980101,1,2.0",
    ]
    Path("purchases.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    duckdb.sql(statement("purchases.md"))
    assert pl.read_csv("rfm.csv").rows() == [
        (1, 0, 2, pytest.approx(15.25)),
        (2, 180, 3, pytest.approx(23.5)),
    ]


@pytest.mark.slow
def test_bikes_by_month(shared_data) -> None:
    said = said_on_the_real_table("change.md")
    hours = pl.read_csv(shared_data / "bike_sharing_hour.csv")
    hours = hours.with_columns(month=pl.col("dteday").str.slice(0, 7)).select("month", "casual", "registered")
    found = drift_over_time(
        hours, "month", reference="2011-05", transform="log1p", components=[3], covariance_types=["full"], renewed=False
    )  # fmt: skip
    words = {one.label: one.drift.verdict.word for one in found.periods}
    assert words["2011-06"] == "keep"
    assert {words[month] for month in ("2011-07", "2011-08", "2011-09", "2011-10", "2011-11")} == {"update"}
    assert {words[month] for month in ("2011-12", "2012-01", "2012-02")} == {"refit"}
    summer = [one.drift for one in found.periods if "2012-03" <= one.label <= "2012-11"]
    more = [100 * one.comparison.tail.difference for one in summer]
    assert f"is {min(more):.0f} to {max(more):.0f} points larger" in said
    assert sum(one.new_segment is not None for one in summer) > len(summer) / 2


@pytest.mark.slow
def test_customers_by_quarter(shared_data) -> None:
    text = (CASES / "change.md").read_text(encoding="utf-8")
    said = " ".join(text[text.rindex("!!! note") : text.index("## Next")].split())
    raw = pl.read_csv(shared_data / "cdnow_transactions.csv")
    day = pl.col("date").cast(pl.String).str.to_date("%Y%m%d")
    quarter = day.dt.year().cast(pl.String) + "-Q" + day.dt.quarter().cast(pl.String)
    quarters = raw.group_by("customer_id", quarter.alias("quarter")).agg(
        orders=pl.len(), spent=pl.col("dollar_value").sum()
    )
    quarters = quarters.filter(pl.col("spent") > 0).sort("quarter", "customer_id")
    options = {"columns": ["orders", "spent"], "id_column": "customer_id", "components": [3]}
    found = drift_over_time(
        quarters, "quarter", reference="1997-Q2", transform="log1p", renewed=False, **options
    )
    words = {one.label: one.drift.verdict.word for one in found.periods}
    assert words["1997-Q3"] == "keep"
    assert {words[one] for one in ("1997-Q4", "1998-Q1", "1998-Q2")} == {"update"}
    movers = found.movers
    assert f"Of {movers.ids.size:,} customers who bought" in said
    moved, by_chance = re.search(r"(\d+) are in another segment, and (\d+) would be by chance", said).groups()  # type: ignore[union-attr]
    # One customer has as much of two segments, but for the last digits, which differ between instruction sets.
    assert abs(movers.moved - int(moved)) <= 1
    assert f"{movers.migration.moved_expected:.0f}" == by_chance
