"""What statements say, what is refused before one is written, and literals that keep every digit."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixtura import GaussianMixture, Segmentation
from mixtura.core.mixture import Mixture
from mixtura.datasets import make_customers
from mixtura.exceptions import ParameterError
from mixtura.expressions.dialects import exponent_literal, fraction_literal
from mixtura.io.export import DIALECTS, scorer_of_mixture, scoring_sql
from sql_scoring import HOSTILE, HOSTILE_SEGMENTS, model_of, random_mixture


def mixture(k: int = 2, d: int = 2) -> Mixture:
    return random_mixture(np.random.default_rng(0), k, d)


def height(text: str) -> int:
    """How deep the deepest parenthesis of a text lies."""
    return max(np.cumsum([(sign == "(") - (sign == ")") for sign in text]))


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(finite)
def test_whole_numbers_over_powers_of_two_are_the_number(value: float) -> None:
    text = fraction_literal(value).strip("()")
    wanted = Fraction(value)
    top, rest = text.partition("e0")[::2]
    found = Fraction(int(top))
    assert abs(int(top)) < 2**53
    for step in rest.replace("*", " *").replace("/", " /").split():
        power = int(step[1:])
        assert power <= 2**62
        found = found * power if step[0] == "*" else found / power
    assert found == wanted


@given(finite)
def test_literals_with_an_exponent_keep_every_digit(value: float) -> None:
    text = exponent_literal(value)
    assert "e" in text
    assert float(text) == value


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_parser_of_the_dialect_reads_the_statement(dialect: str) -> None:
    """For BigQuery and Snowflake this is all that can be tried here."""
    sqlglot = pytest.importorskip("sqlglot")
    names = {"datafusion": "", "firebird": "", "mariadb": "mysql", "polars": "", "postgresql": "postgres"}
    columns = ("a", "b", "c") if dialect == "firebird" else HOSTILE[:5]
    model = model_of(mixture(3, len(columns)), columns, names=("a", *HOSTILE_SEGMENTS))
    text = model.to_sql(dialect, table=("crm", "the table"), id_column="id")
    found = sqlglot.parse_one(text, read=names.get(dialect, dialect))
    wanted = ["id", "segment", "segment_name", "certainty", "probability_1", "probability_2", "probability_3"]
    assert found.named_selects == [*wanted, "log_density", "anomaly"]
    tables = {table.sql("duckdb") for table in found.find_all(sqlglot.exp.Table)}
    assert 'crm."the table" AS t' in tables or '"crm"."the table" AS t' in tables


def test_sums_of_many_terms_stay_low() -> None:
    few, many = (
        scoring_sql(scorer_of_mixture(mixture(2, d), map(str, range(d))), "duckdb", table="t")
        for d in (8, 64)
    )
    assert height(many) <= height(few) + 6


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite", "mariadb", "firebird"])
def test_engines_that_put_expressions_in_place_of_mentions_have_fences(dialect: str) -> None:
    text = scoring_sql(scorer_of_mixture(mixture(), "ab"), dialect, table="t")
    fence = DIALECTS[dialect].fence or "WHERE 1 = 0"
    assert text.count(fence) == text.count(" (\nSELECT") > 5
    assert "SET jit = off" in text or dialect != "postgresql"


def test_bigquery_and_snowflake_are_said_to_be_parsed_only() -> None:
    scorer = scorer_of_mixture(mixture(), "ab")
    said = {name for name in DIALECTS if "checked by a parser only" in scoring_sql(scorer, name, table="t")}
    assert said == {"bigquery", "snowflake"}


def test_a_statement_that_is_too_long_is_refused_or_scores_fewer_missing_values() -> None:
    limit = DIALECTS["clickhouse"].longest_statement
    assert limit is not None
    large = scorer_of_mixture(mixture(20, 50), map(str, range(50)))
    with pytest.raises(ParameterError, match=r"at most 262,144 bytes; that of this model has 1,\d+,\d+"):
        scoring_sql(large, "clickhouse", table="t")
    some = scorer_of_mixture(mixture(20, 6), "abcdef")
    assert len(scoring_sql(some, "duckdb", table="t")) > limit
    fitting = scoring_sql(some, "clickhouse", table="t")
    assert len(fitting) <= limit
    assert "Rows that lack more than" in fitting
    with pytest.raises(ParameterError, match="Try `max_missing=0`"):
        scoring_sql(some, "clickhouse", table="t", max_missing=5)


def test_a_select_that_is_too_wide_is_refused() -> None:
    means = np.zeros((42, 40))
    wide = Mixture.from_parameters(np.full(42, 1 / 42), means, np.ones((42, 40)), "diag")
    with pytest.raises(ParameterError, match="at most 1,664 columns; that of this model has 1,68"):
        scoring_sql(scorer_of_mixture(wide, map(str, range(40))), "postgresql", table="t")


def test_how_many_missing_values_are_scored() -> None:
    def said(d: int, most: int | None = None) -> str:
        scorer = scorer_of_mixture(mixture(1, d), map(str, range(d)))
        return scoring_sql(scorer, "duckdb", table="t", max_missing=most).splitlines()[1]

    assert said(6) == "-- Rows without a value in any column have NULL in all columns of the result."
    assert "lack more than 2 of 10 values" in said(10)
    assert "lack more than 1 of 30 values" in said(30)
    assert "lack any value" in said(63)
    assert "lack any value" in said(3, 0)
    assert said(3, 99) == said(3)


def test_variances_are_written_once_however_many_values_may_be_missing() -> None:
    mixture = Mixture.from_parameters([1.0], [np.zeros(40)], [np.arange(1.0, 41)], "diag")
    text = scoring_sql(scorer_of_mixture(mixture, map(str, range(40))), "duckdb", table="t")
    assert "lack more than 1 of 40 values" in text
    assert text.count("d1_40") == 2


def test_tables_are_quoted_part_by_part() -> None:
    scorer = scorer_of_mixture(mixture(), "ab")

    def read(table, dialect="duckdb") -> str:
        return next(
            line for line in scoring_sql(scorer, dialect, table=table).splitlines() if line.endswith(" t")
        )

    assert read("customers") == 'FROM "customers" t'
    assert read("crm.customers") == 'FROM "crm"."customers" t'
    assert read('crm."a.b""c"') == 'FROM "crm"."a.b""c" t'
    assert read(["a.b"]) == 'FROM "a.b" t'
    assert read("a`b", "mariadb") == "FROM `a``b` t"
    assert read("a`b", "bigquery") == r"FROM `a\`b` t"
    assert read("mixtura_1") == 'FROM "mixtura_1" t'
    assert "scored_1" in scoring_sql(scorer, "duckdb", table="mixtura_1")
    for bad in ("", "a..b", ".a", 'a"b', '"a', "a\0b"):
        with pytest.raises(ParameterError):
            read(bad)


def test_templates_of_dbt_stand_as_they_are_and_names_are_no_templates() -> None:
    jinja2 = pytest.importorskip("jinja2")
    model = model_of(mixture(), ("{{ a }}", "{% b %}"), names=("{# c #}", "d"))
    text = model.to_sql("duckdb", table="{{ ref('customers') }}", id_column="id")
    assert "FROM {{ ref('customers') }} t" in text
    made = jinja2.Template(text).render(ref=lambda name: f'"{name}"')
    assert made.rstrip() == model.to_sql("duckdb", table="customers", id_column="id").rstrip()


def test_handed_on_columns_never_hide_a_result() -> None:
    model = model_of(mixture(), ("a", "b"))
    text = model.to_sql("duckdb", table="t", id_column=["segment", "Anomaly", "segment_id", "region"])
    listed = text[text.rindex("SELECT") :].splitlines()[1:5]
    assert [line.split(" AS ")[1].rstrip(",") for line in listed] == [
        '"segment_id"',
        '"Anomaly_id"',
        '"segment_id_id"',
        '"region"',
    ]


@pytest.mark.parametrize(("dialect", "most"), [("postgresql", 63), ("mariadb", 64), ("firebird", 31)])
def test_names_that_are_too_long_are_refused(dialect: str, most: int) -> None:
    model = model_of(mixture(), ("a", "ä" * (most // 2)))
    model.to_sql(dialect, table="t")
    with pytest.raises(ParameterError, match=f"at most {most} bytes"):
        model.to_sql(dialect, table="t", id_column="n" * (most + 1))
    with pytest.raises(ParameterError, match=f"at most {most} bytes"):
        model.to_sql(dialect, table="n" * (most + 1))


def test_what_cannot_be_written_is_refused() -> None:
    scorer = scorer_of_mixture(mixture(), "ab")
    with pytest.raises(ParameterError, match="`dialect` must be one of bigquery"):
        scoring_sql(scorer, "oracle", table="t")
    with pytest.raises(ParameterError, match="`max_missing` must be at least 0"):
        scoring_sql(scorer, "duckdb", table="t", max_missing=-1)
    with pytest.raises(ParameterError, match="`columns` must be 2 different names"):
        scorer_of_mixture(mixture(), "aa")
    with pytest.raises(ParameterError, match="at least one character"):
        scoring_sql(scorer, "duckdb", table="t", id_columns=[""])


@pytest.mark.parametrize("part", ["levels", "background", "tails"])
def test_parts_that_are_not_gaussian_are_refused(part: str) -> None:
    with pytest.raises(ParameterError, match="Gaussian parts alone"):
        scorer_of_mixture(replace(mixture(), **{part: object()}), "ab")


def test_too_many_columns_with_point_masses_are_refused() -> None:
    spiked = replace(scorer_of_mixture(mixture(2, 11), map(str, range(11))), spikes=((0.0,),) * 11)
    with pytest.raises(ParameterError, match="At most 10 columns with point masses"):
        scoring_sql(spiked, "duckdb", table="t")


def test_an_estimator_is_scored_with_its_own_numbers() -> None:
    duckdb = pytest.importorskip("duckdb")
    rows = make_customers()
    fitted = GaussianMixture(3, random_state=0).fit(rows)
    text = scoring_sql(scorer_of_mixture(fitted.mixture_, ["x", "y"]), "duckdb", table="rows")
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE rows (x DOUBLE, y DOUBLE)")
        connection.executemany("INSERT INTO rows VALUES (?, ?)", rows.tolist())
        found = connection.execute(text).fetchnumpy()
    assert found["segment"].tolist() == fitted.predict(rows).tolist()
    np.testing.assert_allclose(found["probability_2"], fitted.predict_proba(rows)[:, 2], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found["log_density"], fitted.score_samples(rows), rtol=1e-12)
    assert not found["anomaly"].any()


def test_a_segmentation_hands_on_the_id_that_it_knows() -> None:
    frame = make_customers(as_frame="polars").with_row_index("customer_id")
    segmentation = Segmentation.fit(frame, components=[2])
    text = segmentation.to_sql("sqlite", table="customers")
    assert text == segmentation.model.to_sql("sqlite", table="customers")
    assert 't."customer_id"' in text
