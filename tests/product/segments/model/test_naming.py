"""Names of segments: stable when refitted, and the user's where the user has some."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mixtura.datasets import make_customers
from mixtura.exceptions import ParameterError
from mixtura.io import read_names
from mixtura.segments import SegmentModel, name_segments, segment_table
from mixtura.segments.model.naming import rename_segments

AUTOMATIC = ("high income", "low income", "average")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", ["three", "five"])
def test_names_survive_refits_of_resampled_customers(kind) -> None:
    frame = make_customers(kind=kind, as_frame="polars")
    k = {"three": 3, "five": 5}[kind]
    original = segment_table(frame, components=[k], covariance_types=["tied"])
    kept: Counter[str] = Counter()
    n_refits = 25
    for seed in range(n_refits):
        again = segment_table(
            frame.sample(fraction=1, with_replacement=True, seed=seed),
            components=[k],
            covariance_types=["tied"],
        )
        kept.update(set(original.model.names) & set(again.model.names))
    # A name that every refit may lose by a tie of two columns would stand at about a half.
    least = {"three": 0.9, "five": 0.75}[kind] * n_refits
    assert {name: kept[name] for name in original.model.names if kept[name] < least} == {}


def test_a_close_middle_is_said_where_nothing_else_is() -> None:
    differences = np.array([[0.1, 0.3, -0.1], [1.2, 0.1, 0.0], [0.0, 0.1, 0.1]])
    spreads = np.array([[0.3, 1.0, 0.2], [0.2, 0.2, 0.2], [0.3, 0.3, 0.3]])
    names = name_segments(differences, ["a", "b", "c"], spreads)
    assert names == ("average a and c", "high a", "average")
    assert name_segments(np.array([[0.1, 0.1]]), ["a", "b"], np.array([[0.3, 0.2]])) == ("average",)


def test_segments_of_one_name_are_ranked_in_the_column_in_which_they_differ_most() -> None:
    flat = np.array([[0.0, 0.1], [0.1, -0.2], [0.05, 0.2], [0.2, -0.1], [1.8, 0.0], [-2.0, 0.0]])
    assert name_segments(flat, ["income", "age"]) == (
        "average, 2nd highest age",
        "average, lowest age",
        "average, highest age",
        "average, 2nd lowest age",
        "high income",
        "low income",
    )


@given(
    st.integers(1, 12).flatmap(
        lambda k: st.tuples(
            arrays(float, (k, 3), elements=st.floats(-3, 3)),
            arrays(float, (k, 3), elements=st.floats(0.01, 3)),
        )
    )
)
def test_names_are_different_and_hold_no_counters(drawn) -> None:
    differences, spreads = drawn
    names = name_segments(differences, ["income", "age", "visits"], spreads)
    assert len(set(names)) == len(differences)
    assert not any("(" in name for name in names)


def test_segments_are_renamed_by_number_or_name() -> None:
    assert rename_segments(AUTOMATIC, AUTOMATIC, {1: "A", "low income": " B "}) == ("A", "B", "average")
    once = rename_segments(AUTOMATIC, AUTOMATIC, {"2": "Savers"})
    assert rename_segments(once, AUTOMATIC, {"Savers": "S", "high income": "H"}) == ("H", "S", "average")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            {"high incom": "A"},
            "got 'high incom'. The segments are 1 'high income'.*Did you mean 'high income'",
        ),
        ({4: "A"}, "must have segments as keys; got 4.*Use a number"),
        ({0: "A"}, "must have segments as keys; got 0"),
        ({1: "A", "high income": "B"}, "each segment once; got segment 1 as 1 and 'high income'"),
        ({1: "  "}, "each segment a text; got '  ' for 1"),
        ({1: "average"}, "must be different; got 'average' for two segments"),
    ],
)
def test_names_that_cannot_be_given(names, said) -> None:
    with pytest.raises(ParameterError, match=said):
        rename_segments(AUTOMATIC, AUTOMATIC, names)


def test_names_are_kept_in_the_model(tmp_path) -> None:
    frame = make_customers(as_frame="polars")
    plain = segment_table(frame, components=[3], covariance_types=["tied"])
    named = segment_table(
        frame, components=[3], covariance_types=["tied"], names={1: "Spenders", "average": "Middle"}
    )
    assert named.model.names == ("Spenders", "Middle", plain.model.names[2])
    assert named.model.automatic_names == plain.model.names
    assert [one.name for one in named.segments] == list(named.model.names)
    named.model.save(tmp_path / "model.json")
    loaded = SegmentModel.load(tmp_path / "model.json")
    assert (loaded.names, loaded.automatic_names) == (named.model.names, plain.model.names)
    assert loaded.renamed({"Middle": "M"}).names[1] == "M"
    assert set(named.assignment.columns()["segment_name"]) == set(named.model.names)


def test_names_come_from_a_file(tmp_path) -> None:
    path = tmp_path / "names.toml"
    path.write_text('\ufeff1 = "Grüße"\n"low income" = "B"\n', encoding="utf-8")
    assert read_names(path) == {"1": "Grüße", "low income": "B"}
    with pytest.raises(ParameterError, match="cannot be read"):
        read_names(tmp_path / "none.toml")
    for text, said in (
        ("1 = Savers", "not valid TOML"),
        ("1 = 2", "is not text"),
        ("[a]\nb = 'c'", "is not text"),
    ):
        path.write_text(text)
        with pytest.raises(ParameterError, match=said):
            read_names(path)
    path.write_bytes(b"\xff")
    with pytest.raises(ParameterError, match="not valid TOML"):
        read_names(path)


def test_names_of_transformed_columns_do_not_hang_on_a_few_large_values() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1], 200)
    revenue = np.exp(rng.normal(2 + 2 * group, 0.4))
    revenue[:3] = 5000.0
    frame = pl.DataFrame({"revenue": revenue, "age": rng.normal(40 + 15 * group, 3)})
    result = segment_table(frame, components=[2], covariance_types=["diag"], transform={"revenue": "log1p"})
    assert set(result.model.names) == {"low revenue and age", "high revenue and age"}


def test_a_long_name_does_without_the_third_column() -> None:
    short, long = ["a", "b", "c"], [f"average {letter} of the last twelve months" for letter in "abc"]
    differences = np.array([[1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]])
    assert name_segments(differences, short) == ("high a and b, low c", "low a and b, high c")
    for name in name_segments(differences, long):
        assert name.count("months") == 2
