"""The page: complete in itself, small, and showing text as text."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from functools import cache
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

from mixtura.datasets import make_customers
from mixtura.report import GLOSSARY, collect, draw_charts, render_report, report_stability
from mixtura.report.svg import page_svg
from mixtura.segments import segment_table

HOSTILE = [
    "<script>window.attacked = true</script>",
    '"><img src=x onerror="window.attacked = true">',
    "'; window.attacked = true; '",
    '=HYPERLINK("http://x")',
    "\u202eevil\u202c",
    "مرحبا",
    "🦊 {{ 7 * 7 }} {% raw %}",
    "</style></script>&amp;&lt;",
]


def page_of(frame: pl.DataFrame, resamples: int = 4, **options: object) -> str:
    result = segment_table(frame, **options)
    stability = report_stability(result, resamples)
    return render_report(collect(result, stability=stability), draw_charts(result, stability))


@cache
def hostile_page() -> str:
    rows = make_customers(150)
    names = [f"{text} {number}" for number in range(19) for text in HOSTILE][:150]
    first, second = "<script>window.attacked = true</script>", "\"spend\" & 'more' <b>"
    frame = pl.DataFrame(
        {
            "customer_id": names,
            first: rows[:, 0],
            second: rows[:, 1],
            "who": [HOSTILE[i % 8] for i in range(150)],
        }
    )
    return page_of(
        frame,
        columns=[first, second],
        describe=["who"],
        id_column="customer_id",
        components=[3],
        names={1: "<script>window.attacked = true</script>", 2: "=1+1"},
        source='<img src="x" onerror="window.attacked = true">.csv',
    )


class Tags(HTMLParser):
    """Counts elements and notes what could load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.count: dict[str, int] = {}
        self.suspicious: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        for name, value in attrs:
            if (
                name.startswith("on")
                or name in {"src", "style", "srcset", "action"}
                or (name in {"href", "xlink:href"} and not (value or "").startswith("#"))
            ):
                self.suspicious.append((tag, name))


@pytest.fixture(scope="module")
def page() -> str:
    return page_of(make_customers(as_frame="polars"), components=[2, 3])


@pytest.mark.parametrize("which", ["plain", "hostile"])
def test_nothing_is_loaded_and_no_text_runs(which: str, page: str) -> None:
    tags = Tags()
    tags.feed(page if which == "plain" else hostile_page())
    assert tags.count["script"] == 1
    assert tags.count["style"] == 1
    assert not {"img", "iframe", "link", "object", "embed", "b", "form"} & set(tags.count)
    assert tags.suspicious == []


def test_the_policy_names_the_hashes_of_what_the_page_holds(page: str) -> None:
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy


def test_hostile_texts_are_all_there_as_text() -> None:
    shown = html.unescape(hostile_page())
    for text in HOSTILE[:3]:
        assert text in shown
    assert "7 * 7" in shown


def test_every_term_used_is_explained_and_every_explanation_used(page: str) -> None:
    used = set(re.findall(r'aria-describedby="term-([\w-]+)"', page))
    assert used <= set(GLOSSARY)
    explained = set(re.findall(r'<dd id="term-([\w-]+)"', page))
    assert explained == set(GLOSSARY)


def test_identifiers_are_unique(page: str) -> None:
    identifiers = re.findall(r'\bid="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))
    for wanted in re.findall(r"url\(#([^)]+)\)", page):
        assert wanted in identifiers


def test_sections_stand_in_the_order_of_questions(page: str) -> None:
    order = re.findall(r'<section id="(\w+)"', page)
    assert order == [
        "verdict", "segments", "number", "certainty", "kmeans", "unusual", "diagnostics", "usage", "glossary",
    ]  # fmt: skip


def test_a_hundred_thousand_customers_make_a_small_page() -> None:
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(4, 6)) * 4
    rows = np.concatenate([rng.normal(center, 1.0, size=(25_000, 6)) for center in centers])
    frame = pl.DataFrame({f"column {d}": rows[:, d] for d in range(6)})
    page = page_of(frame, components=[4], covariance_types=["diag"], resamples=2)
    assert len(page.encode()) < 5_000_000
    assert "100,000 customers" in page


def test_one_column_and_one_segment_make_a_page() -> None:
    values = np.random.default_rng(0).normal(size=80)
    page = page_of(pl.DataFrame({"amount": values}), components=[1])
    assert "1 segment among 80 customers" in page


def test_marks_know_their_segment() -> None:
    drawing = (
        '<svg class="marks" width="20" height="10" viewBox="0 0 20 10"><rect width="20" height="10" fill="white"/>'
        '<g role="graphics-object" aria-roledescription="x"><path aria-label="a &lt; b: 1; segment: 3; size: 4" '
        'role="graphics-symbol" aria-roledescription="point" d="M1.23456,2e-9" fill="#333333" id="clip1"/>'
        '<text fill="#0072B2">segment: 9 1.23456</text></g></svg>'
    )
    svg = page_svg(drawing, "chart", 'a "title"')
    assert 'data-segment="3" data-tip="a &lt; b: 1; segment: 3"' in svg
    assert 'd="M1.23,0"' in svg
    assert 'id="chart-clip1"' in svg
    assert ">segment: 9 1.23456</text>" in svg
    assert 'role="img" aria-label="a &quot;title&quot;"' in svg
    assert "<rect" not in svg


def spiked(n: int = 240) -> pl.DataFrame:
    """Counts, half of them 1, and money: full covariances sit on the spike."""
    rng = np.random.default_rng(1)
    counts = np.where(np.arange(n) < n // 2, 1.0, 2 + rng.poisson(6, n))
    return pl.DataFrame({"ORDER_COUNT": counts, "spent": np.exp(3 + rng.normal(0, 0.4, n) + counts / 8)})


def test_transformed_columns_are_told_by_medians_and_numbers_of_a_column_have_the_same_decimals() -> None:
    frame = spiked()
    result = segment_table(frame, components=[2], covariance_types=["tied"], transform={"spent": "log1p"})
    page = render_report(collect(result), draw_charts(result))
    cells = re.findall(r'<th scope="row"><bdi>(.*?)</bdi>(.*?)</th>(.*?)</tr>', page)
    held = {
        name.replace("<wbr>", ""): (rest, re.findall(r'<td class="number[^>]*>([^<]+)<', numbers))
        for name, rest, numbers in cells
    }
    spent, counts = frame["spent"].to_numpy(), frame["ORDER_COUNT"].to_numpy()
    groups = [result.assignment.labels == k for k in range(2)]
    assert "median" in held["spent"][0]
    assert held["spent"][1] == [
        f"{value:,.0f}" for value in (np.median(spent), *(np.median(spent[one]) for one in groups))
    ]
    assert "median" not in held["ORDER_COUNT"][0]
    assert held["ORDER_COUNT"][1] == [
        f"{value:.1f}" for value in (counts.mean(), *(counts[one].mean() for one in groups))
    ]
    assert "as its log1p" in page


def test_degenerate_models_are_told_in_short_with_components_from_one() -> None:
    result = segment_table(spiked(), components=[1, 2, 4], covariance_types=["full", "tied"])
    assert result.passed_over
    summary = collect(result)
    told = [why for one in summary["diagnostics"]["degenerate"] for why in one["why"]]
    numbers = {int(re.match(r"component (\d+)", why)[1]) for why in told}
    expected = {one.component + 1 for found in result.ranking for one in found.degeneracies}
    assert numbers == expected
    assert f"component {result.passed_over[0].degeneracies[0].component + 1} " in result.notes[0]
    page = render_report(summary, draw_charts(result))
    first = summary["diagnostics"]["degenerate"][0]
    assert html.escape(first["why"][0]) in page.replace("&#39;", "&#x27;")
    assert "its likelihood means nothing" in page


def test_more_than_four_segments_have_the_width_of_the_page_for_their_confusions() -> None:
    frame = make_customers(kind="five", as_frame="polars")
    for components, laid_out in ((3, "pair"), (5, "stack")):
        page = page_of(frame, resamples=0, components=[components])
        section = page[page.index('<section id="certainty"') :]
        assert section[: section.index("<table")].count(f'<div class="{laid_out}">') == 1
