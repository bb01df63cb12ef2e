"""What only a terminal sees."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from io import StringIO
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from fitted import fitted
from mixtura.cli import main, progress
from mixtura.cli.printing.print_audiences import print_audiences
from mixtura.cli.printing.print_model import print_model
from mixtura.cli.printing.print_profiles import print_profiles
from mixtura.cli.printing.print_segmentation import print_segmentation
from mixtura.cli.printing.print_selection import print_selection
from mixtura.cli.printing.print_typing import print_typing
from mixtura.datasets import make_customers
from mixtura.report import render_report
from mixtura.segments import Effort, audiences_of_table, segment_table, select_table
from mixtura.segments.results.document import Document
from presentation.documents import BlankCharts, document


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    stream = StringIO()
    monkeypatch.setattr(
        progress,
        "error_console",
        lambda: Console(file=stream, force_terminal=True, width=100, color_system=None),
    )
    return stream


def test_a_bar_shows_every_model(terminal) -> None:
    with progress.model_progress(quiet=False) as told:
        segment_table(
            make_customers(as_frame="polars"),
            components=[1, 2],
            covariance_types=["tied"],
            **told,
        )
    assert "Fitted tied, 2 components" in terminal.getvalue()
    assert "2/2 models" in terminal.getvalue()


def test_a_bar_counts_folds_before_models(terminal) -> None:
    with progress.model_progress(quiet=False, criterion="cv") as told:
        assert "Cross-validating" in terminal.getvalue()
        told["on_fold"](1, 3)
        told["on_fold"](3, 3)
        made = segment_table(
            make_customers(as_frame="polars"),
            components=[2],
            covariance_types=["tied"],
            criterion="cv",
            n_folds=2,
        ).best
        told["on_candidate"](made, 1, 1)
    shown = terminal.getvalue()
    assert "1/1 models" in shown
    assert "CV above the best" in shown


def test_models_without_a_score_say_why() -> None:
    found = select_table(
        make_customers(as_frame="polars"),
        components=[1, 2],
        covariance_types=["tied"],
        criterion="cv",
        n_folds=2,
    )
    broken = replace(found.found.candidates[1].folds, failure="In fold 2 of 2: collapsed")
    unscored = replace(found.found.candidates[1], folds=broken)
    candidates = (found.found.candidates[0], unscored)
    stream = StringIO()
    print_selection(
        Console(file=stream, width=120), replace(found, found=replace(found.found, candidates=candidates))
    )
    assert "Not scored: tied 2. In fold 2 of 2: collapsed" in stream.getvalue()


def test_quiet_shows_no_bar(terminal) -> None:
    with progress.model_progress(quiet=True) as told:
        assert told == {}
    assert terminal.getvalue() == ""


def printed(shown: Document, width: int = 120) -> str:
    return re.sub(r"\s+", " ", printed_lines(shown, width))


def printed_lines(shown: Document, width: int) -> str:
    stream = StringIO()
    print_segmentation(Console(file=stream, width=width, markup=False), shown)
    return stream.getvalue()


def test_one_segment_is_printed_without_comparisons() -> None:
    result = segment_table(make_customers(as_frame="polars"), components=[1], covariance_types=["full"])
    text = printed(result.with_effort(Effort(resamples=0, draws=100)).document)
    assert "1 segment (full covariances)" in text
    assert "Most ambiguous" not in text
    assert "What distinguishes" not in text
    assert "1 model fitted" in text


def test_customers_that_are_certain_are_not_called_ambiguous() -> None:
    def certain(found: dict[str, Any]) -> None:
        for one in found["least_certain"]:
            one["memberships"] = [1.0 - 4e-5, *[0.0] * (len(one["memberships"]) - 1)]
        found["choice"]["rule"] = "stability"

    assert "Most ambiguous" in printed(document())
    text = printed(document(certain))
    assert "Most ambiguous" not in text
    assert "No customer is between two segments. K-means assigns" in text
    assert "the most stable of those that BIC does not separate, converged" in text


def test_a_page_of_models_that_are_all_excluded_marks_none_as_the_least() -> None:
    def exclude(found: dict[str, Any]) -> None:
        for one in found["candidates"]:
            one |= {"excluded": True, "exclusion": "degenerate"}

    assert 'class="number least"' in render_report(document(), BlankCharts())
    assert 'class="number least"' not in render_report(document(exclude), BlankCharts())


def test_a_narrow_terminal_has_the_questions_of_a_typing_tool_whole() -> None:
    asked = {"column": "Spending Score (1-100)", "label": "", "kind": "a number from 1 to 99"}
    step = {"agreement": 0.765, "standard_error": 0.03, "chosen_on": 0.765, "recall": [0.5, None]}
    tool = {
        "questions": [asked], "columns": 3, "agreement": 0.995, "people": 200, "base_rate": 0.39,
        "curve": [step | {"n_questions": n, "question": f"{asked['column']} {n}"} for n in (1, 2)],
    }  # fmt: skip
    for width in (120, 80, 50):
        stream = StringIO()
        print_typing(Console(file=stream, width=width, markup=False), tool)
        words = stream.getvalue().split()
        assert {"questions", "held", "out", "worst", "segment", "Spending", "(1-100)", "76.5"} <= set(words)
        assert ("chosen" in words and "error" in words) == (width > 50)


def test_latent_classes_have_no_covariances() -> None:
    assert "covariances parameters" in printed(document())
    text = printed(document(lambda found: found["table"].update(active=[])))
    assert "(latent classes)" in text
    assert "segments parameters" in text


def test_no_anomalies() -> None:
    none = {"log_density_threshold": None, "percentile": 0.0, "count": 0, "customers": []}
    assert "Anomalies" not in printed(document(lambda found: found["anomalies"].update(none)))
    empty = {"log_density_threshold": -3.0, "count": 0, "customers": []}
    assert "Anomalies: 0 customers" in printed(document(lambda found: found["anomalies"].update(empty)))


def test_anomalies_beyond_the_table_are_named() -> None:
    def many(found: dict[str, Any]) -> None:
        one = found["anomalies"]["customers"][0]
        found["anomalies"] |= {"count": 40, "customers": [one | {"customer": f"N{k}"} for k in range(40)]}

    text = printed(document(many))
    assert "and N8, N9" in text
    assert "N27, ..." in text
    assert "N28" not in text


def test_names_in_brackets_are_not_taken_for_markup() -> None:
    def bracketed(found: dict[str, Any]) -> None:
        found["segments"][0]["name"] = "[bold]income[/bold]"
        found["notes"] = ["s [red]"]

    text = printed(document(bracketed))
    assert "[bold]income[/bold]" in text
    assert "s [red]" in text


def test_what_is_not_known_is_left_empty() -> None:
    def unknown(found: dict[str, Any]) -> None:
        for one in found["segments"]:
            one["mean_certainty"] = None
            one["value"] |= {"share": None, "mean": None}
        found["least_certain"][0]["kmeans_segment"] = None
        found["candidates"][1]["criteria"]["bic"] = None
        found["anomalies"]["customers"][0]["log_density"] = None
        found["population"]["numbers"]["income"] |= {"mean": None, "sd": None}

    text = printed(document(unknown))
    assert "income – " in text
    assert "None" not in text


def test_a_narrow_terminal_has_what_matters_most() -> None:
    wide, narrow = printed(document(), 160), printed(document(), 70)
    assert "K-means cluster" in wide
    assert "most typical" in wide
    assert "K-means cluster" not in narrow
    assert "most typical" not in narrow


def test_of_many_columns_the_most_distinguishing_are_shown() -> None:
    def widened(found: dict[str, Any]) -> None:
        names = [f"c{k:02d}" for k in range(15)]
        found["table"]["active"] = names
        found["population"]["numbers"] |= dict.fromkeys(names, found["population"]["numbers"]["income"])
        for one in found["segments"]:
            income = next(held for held in one["numbers"] if held["column"] == "income")
            one["numbers"] += [
                income | {"column": name, "distinctness": 10.0 + k} for k, name in enumerate(names)
            ]
            one["means"], one["differences"] = dict.fromkeys(names, 3.0), dict.fromkeys(names, -1.5)
        for one in found["anomalies"]["customers"]:
            one["drivers"] = [{"column": name, "value": 1.0, "share": 0.1} for name in names]

    text = printed(document(widened))
    assert "3 more columns are in profiles.csv" in text
    means = text[text.index("mean of") : text.index("+ or - half")]
    assert "c03 " in means
    assert "c02 " not in means
    assert "--" in means


def test_the_entry_point(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["mixtura", "--version"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("mixtura ")


def test_an_interruption_while_loading(monkeypatch) -> None:
    class Interrupting:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            if name == "mixtura.cli.app":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "mixtura.cli.app", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 130


def test_medians_of_transformed_columns_and_the_stability_are_shown() -> None:
    def transformed(found: dict[str, Any]) -> None:
        found["transforms"][0]["kind"] = "log1p"
        found["verdict"] |= {"stability": "natural", "adjusted_rand": 0.9312}

    shown = document(transformed)
    text = printed(shown)
    assert "Stability: natural; segments of resampled customers agree by 0.93" in text
    assert "mean, * median all segment 1 segment 2" in text
    median = shown.population.numbers["income"].median
    assert f"income * {median:.0f}" in text
    assert "Stability" not in printed(document(lambda found: found["verdict"].update(stability=None)))


@pytest.mark.parametrize("width", [80, 100, 110, 120, 160])
def test_names_of_segments_are_whole_at_any_width(width: int) -> None:
    """With a value column the table of segments has nine columns, more than a narrow terminal takes (case 15)."""

    def name(found: dict[str, Any]) -> None:
        for segment in found["segments"]:
            segment["name"] = f"high income, low visits {segment['number']}"

    shown = document(name)
    assert shown.population.value is not None
    stream = StringIO()
    print_profiles(Console(file=stream, width=width, color_system=None), shown)
    lines = stream.getvalue().splitlines()
    for segment in shown.segments:
        row = next(line for line in lines if segment.name in line)
        assert row.split()[0] == str(segment.number)
        assert f"{segment.count:,}" in row
    assert all(len(line) <= width for line in lines)
    assert ("most typical" in stream.getvalue()) == (width >= 160)


@pytest.mark.parametrize("width", [60, 80])
def test_words_and_numbers_are_whole_on_a_narrow_terminal(width: int) -> None:
    """With columns of long names numbers were cut and names broken within a word, or gone (case 15)."""

    def lengthen(found: Any) -> Any:
        if isinstance(found, dict):
            return {lengthen(key): lengthen(one) for key, one in found.items()}
        if isinstance(found, list):
            return [lengthen(one) for one in found]
        return {"income": "annual_household_income", "visits": "visits_to_the_shop_in_may"}.get(found, found)

    shown = document(lambda found: found.update(lengthen(found)))
    text = printed_lines(shown, width)
    assert max(map(len, text.splitlines())) <= width
    above, below = text.split("What distinguishes them")
    for segment in shown.segments:
        assert re.search(rf"^ {segment.number}  .* {segment.count:,} ", above, re.MULTILINE)
    assert below.count("annual_household_income  ") == len(shown.segments)
    income = next(one for one in shown.segments[0].numbers if one.column == "annual_household_income")
    assert f" {income.median:.0f} ({income.q1:.0f} to {income.q3:.0f})" in below
    for customer in shown.anomalies.customers[:8]:
        assert re.search(rf"^ {customer.customer} .* {customer.segment}  ", below, re.MULTILINE)
    assert "outlier" in above
    assert ("difference" in below) == (width == 80)


def with_years(found: dict[str, Any]) -> None:
    """Let income be a year of birth."""
    born = {
        "minimum": 1931.0,
        "q1": 1950.5,
        "median": 1963.0,
        "q3": 1978.0,
        "maximum": 2004.0,
        "mean": 1964.2,
        "sd": 15.0,
    }
    found["population"]["numbers"]["income"] |= born
    for segment in found["segments"]:
        segment["means"]["income"] = 1964.2
        for one in segment["numbers"]:
            if one["column"] == "income":
                one |= born
    for customer in found["anomalies"]["customers"]:
        for driver in customer["drivers"]:
            driver |= {"value": 1931.0, "share": 0.5} if driver["column"] == "income" else {}


def test_years_are_written_as_years() -> None:
    of_years = document(with_years)
    assert of_years.population.numbers["income"].has_years
    assert not of_years.population.numbers["spending"].has_years
    stream = StringIO()
    print_segmentation(Console(file=stream, width=120, color_system=None), of_years)
    page = render_report(of_years, BlankCharts())
    for said in (stream.getvalue(), page):
        assert "1964" in said
        assert "1931" in said
        assert re.search(r"\b(1,931|1,963|1,964|2,004)\b", said) is None


@pytest.mark.parametrize(
    "change", [{"maximum": 2150.0}, {"minimum": 1931.5}, {"minimum": None, "median": None}]
)
def test_other_numbers_are_no_years(change) -> None:
    def changed(found: dict[str, Any]) -> None:
        with_years(found)
        found["population"]["numbers"]["income"] |= change

    assert not document(changed).population.numbers["income"].has_years


def test_an_audience_says_what_was_noticed() -> None:
    model = fitted("customers-3").model
    found = audiences_of_table(model, make_customers(as_frame="polars"), [1], top=9)
    noticed = replace(found, assignment=replace(found.assignment, notes=("Try `drop_missing=True`.",)))
    stream = StringIO()
    print_audiences(Console(file=stream, width=120, color_system=None), "customers.csv", noticed)
    assert "Note: Try --drop-missing." in stream.getvalue()


def test_a_model_writes_years_as_years() -> None:
    rng = np.random.default_rng(0)
    old = rng.random(200) < 0.5
    born = np.rint(np.where(old, 1955, 1990) + rng.normal(0, 4, 200))
    frame = pl.DataFrame({"born": born, "spending": np.where(old, 2000.0, 9000.0) + rng.normal(0, 300, 200)})
    model = segment_table(frame, components=[2], covariance_types=["diag"]).model
    stream = StringIO()
    print_model(Console(file=stream, width=120, color_system=None), "model.json", model)
    assert re.search(r"born +19[589]\d ± .* 19[589]\d ± ", stream.getvalue())
    assert re.search(r"spending +\d,\d{3} ± ", stream.getvalue())
