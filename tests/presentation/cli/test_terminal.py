"""What only a terminal sees."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from io import StringIO

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from mixtura.cli import main, progress
from mixtura.cli.printing.print_segmentation import print_segmentation
from mixtura.cli.printing.print_selection import print_selection
from mixtura.datasets import make_customers
from mixtura.segments import segment_table, select_table


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


def printed(frame: pl.DataFrame, **options) -> str:
    stream = StringIO()
    print_segmentation(Console(file=stream, width=120, markup=False), segment_table(frame, **options))
    return re.sub(r"\s+", " ", stream.getvalue())


def test_one_segment_has_nobody_between_segments() -> None:
    text = printed(make_customers(as_frame="polars"), components=[1], covariance_types=["full"])
    assert "1 segment (full covariances)" in text
    assert "Most ambiguous" not in text
    assert "1 model fitted" in text


def test_no_anomalies() -> None:
    frame = make_customers(as_frame="polars")
    text = printed(frame, components=[2], covariance_types=["full"], anomaly_percentile=0)
    assert "Anomalies" not in text
    same = pl.DataFrame({"x": [0.0, 1.0] * 10})
    assert "Anomalies: 0 customers" in printed(same, components=[1], covariance_types=["full"])


def test_names_in_brackets_are_not_taken_for_markup() -> None:
    frame = make_customers(as_frame="polars").rename({"income": "[bold]income[/bold]", "spending": "s [red]"})
    text = printed(frame, components=[2], covariance_types=["full"])
    assert "[bold]income[/bold]" in text
    assert "s [red]" in text


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


def test_medians_of_transformed_columns_and_the_verdict_on_stability_are_told() -> None:
    rng = np.random.default_rng(0)
    spent = np.r_[np.exp(rng.normal(3, 0.3, 60)), np.exp(rng.normal(5, 0.3, 41))]
    frame = pl.DataFrame({"spent": spent, "age": np.r_[rng.normal(40, 3, 60), rng.normal(60, 3, 41)]})
    result = segment_table(frame, components=[2], covariance_types=["diag"], transform={"spent": "log1p"})
    stream = StringIO()
    print_segmentation(Console(file=stream, width=120), result, ("natural", 0.9312))
    text = re.sub(r"\s+", " ", stream.getvalue())
    assert "Stability: natural; segments of resampled customers agree by 0.93" in text
    assert "mean, * median everybody segment 1 segment 2" in text
    medians = [float(np.median(spent[result.assignment.labels == k])) for k in range(2)]
    assert f"spent * {np.median(spent):.0f} {medians[0]:.0f} - {medians[1]:.0f} ++" in text
    assert "Stability" not in printed(frame, components=[2])
