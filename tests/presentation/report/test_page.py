"""The page: complete in itself, small, and showing text as text."""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import math
import re
from functools import cache
from html.parser import HTMLParser
from typing import Any

import numpy as np
import polars as pl
import pytest

from mixtura.datasets import make_customers
from mixtura.report import GLOSSARY, REPORT, render_report
from mixtura.report.svg import page_svg
from mixtura.segments import Effort, segment_table
from presentation.documents import BlankCharts, document

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


def test_market_research_tables_are_on_the_page() -> None:
    page = render_report(document(), BlankCharts())
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))
    assert "Index table, with significant differences" in text
    assert "Numbers of segments side by side" in text
    assert re.search(r"Classification errors 0\.0120 Reduction of errors \(lambda\) 0\.98\d\d", text)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((3,), "BIC does not separate 3 segments from the most that were tried: 3 with"),
        ((3, 4), "BIC does not separate 3, 4 segments; of these 3 with"),
    ],
)
def test_numbers_that_are_not_separated_are_more_than_one(numbers: tuple[int, ...], said: str) -> None:
    def compared(found: dict[str, Any]) -> None:
        of = {"covariance_type": "full", "separation": 0.5, "adjusted_rand": 0.9, "least_jaccard": 0.8}
        found["choice"] |= {"rule": "stability", "compared": [of | {"n_components": one} for one in numbers]}

    text = html.unescape(re.sub(r"<[^>]+>", " ", render_report(document(compared), BlankCharts())))
    assert said in re.sub(r"\s+", " ", text)


def test_documents_of_earlier_versions_have_none_of_them() -> None:
    def earlier(found: dict[str, Any]) -> None:
        del found["population"]["index_table"]
        del found["certainty"]["classification"]

    page = render_report(document(earlier), BlankCharts())
    assert "Index table" not in page
    assert "Classification errors" not in page


def test_how_many_labels_look_wrong_beside_those_listed_is_said() -> None:
    assert "the 2 customers most probably elsewhere</summary>" in render_report(document(), BlankCharts())

    def many(found: dict[str, Any]) -> None:
        found["known"]["n_elsewhere"] = 1234

    page = render_report(document(many), BlankCharts())
    assert "the 2 customers most probably elsewhere, of 1,234 in all</summary>" in page


def page_of(frame: pl.DataFrame, resamples: int = 4, **options: object) -> str:
    """The page of a table, with its charts."""
    return REPORT.page(segment_table(frame, **options).with_effort(Effort(resamples=resamples, draws=500)))


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
        "verdict", "segments", "number", "certainty", "kmeans", "anomalies", "diagnostics", "usage", "glossary",
    ]  # fmt: skip


@pytest.mark.slow
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
        'role="graphics-symbol" aria-roledescription="point" d="M1.23456,2e-9" fill="#333333" id="clip17"/>'
        '<g clip-path="url(#clip19)"/><g clip-path="url(#clip17)"/>'
        '<text fill="#0072B2">segment: 9 1.23456</text></g></svg>'
    )
    svg = page_svg(drawing, "chart", 'a "title"')
    assert 'data-segment="3" data-tip="a &lt; b: 1; segment: 3"' in svg
    assert 'd="M1.23,0"' in svg
    assert re.findall(r"chart-\w+", svg) == ["chart-clip1", "chart-clip2", "chart-clip1"]
    assert ">segment: 9 1.23456</text>" in svg
    assert 'role="img" aria-label="a &quot;title&quot;"' in svg
    assert "<rect" not in svg


def hostile(found: dict[str, Any]) -> None:
    """Put a hostile text wherever a table can put one."""
    texts = itertools.cycle(HOSTILE)
    found["table"]["source"] = '<img src="x" onerror="window.attacked = true">.csv'
    found["notes"] = [f"{text}." for text in HOSTILE]
    found["table"]["left_out"] = [{"column": next(texts), "reason": next(texts)} for _ in HOSTILE]
    for one in (*found["ambiguous"]["customers"], *found["anomalies"]["customers"], *found["least_certain"]):
        one["customer"] = next(texts)
    for segment in found["segments"]:
        segment["name"] = next(texts)
        for customer in segment["typical"]:
            customer["customer"] = next(texts)
        for category in segment["categories"]:
            for level in category["levels"]:
                level["level"] = next(texts)
    for one in found["anomalies"]["customers"]:
        for driver in one["drivers"]:
            driver["column"] = next(texts)


def test_hostile_texts_of_a_document_stay_texts() -> None:
    page = render_report(document(hostile), BlankCharts())
    tags = Tags()
    tags.feed(page)
    assert (tags.count["script"], tags.count["style"]) == (1, 1)
    assert not {"img", "iframe", "link", "object", "embed", "b", "form"} & set(tags.count)
    assert tags.suspicious == []
    for text in HOSTILE:
        assert text in html.unescape(page)


def cells_of(page: str) -> dict[str, tuple[str, list[str]]]:
    """What stands beside a column's name, and its numbers, in the table of all columns."""
    before = page.partition('<table class="index">')[0]
    rows = re.findall(r'<th scope="row"><bdi>(.*?)</bdi>(.*?)</th>(.*?)</tr>', before)
    return {
        name.replace("<wbr>", ""): (rest, re.findall(r'<td class="number[^>]*>([^<]+)<', numbers))
        for name, rest, numbers in rows
    }


def test_transformed_columns_are_shown_by_medians_and_numbers_of_a_column_have_the_same_decimals() -> None:
    def transform_income(found: dict[str, Any]) -> None:
        found["transforms"][0] |= {"kind": "log1p", "advised": "log1p"}

    shown = document(transform_income)
    page = render_report(shown, BlankCharts())
    cells = cells_of(page)
    for name, measure in (("income", "median"), ("spending", "mean")):
        parts = [shown.population.numbers[name]]
        parts += [one for segment in shown.segments for one in segment.numbers if one.column == name]
        decimals = max(1 - math.floor(math.log10(parts[0].sd or 1.0)), 0)
        assert ("median" in cells[name][0]) == (measure == "median")
        assert cells[name][1] == [f"{getattr(one, measure):,.{decimals}f}" for one in parts]
    assert "transformed by log1p" in page


def test_degenerate_models_are_listed_in_short() -> None:
    def degenerate(found: dict[str, Any]) -> None:
        why = [f"component {k} sits on equal values" for k in (1, 2, 3)]
        one = {"covariance_type": "full", "n_components": 4, "why": why}
        found["diagnostics"] |= {"excluded": 1, "degenerate": [one] * 8}

    page = render_report(document(degenerate), BlankCharts())
    assert page.count("component 1 sits on equal values, and 2 more components are degenerate") == 6
    assert "And 2 more, in <code>summary.json</code>" in page
    assert "1 with a smaller value was excluded as" in page


def test_what_was_not_measured_is_said_so() -> None:
    def unmeasured(found: dict[str, Any]) -> None:
        found["stability"] = None
        found["verdict"] |= {"stability": None, "stability_explanation": None, "adjusted_rand": None}
        found["anomalies"] |= {"log_density_threshold": None, "count": 0, "customers": []}
        found["diagnostics"]["normality"] = found["diagnostics"]["normality"][:1]

    page = render_report(document(unmeasured), BlankCharts())
    assert "Not measured" in page
    assert "No anomalies were asked for." in page
    assert "The other segments have too few customers for the test." in page


def test_more_than_four_segments_have_the_width_of_the_page_for_their_confusions() -> None:
    for segments, laid_out in ((3, "pair"), (5, "stack")):

        def more(found: dict[str, Any], segments: int = segments) -> None:
            found["verdict"]["segments"] = segments

        page = render_report(document(more), BlankCharts())
        section = page[page.index('<section id="certainty"') :]
        assert section[: section.index("<table")].count(f'<div class="{laid_out}">') == 1


def test_of_a_single_model_nothing_was_chosen() -> None:
    def single(found: dict[str, Any]) -> None:
        found["candidates"] = found["candidates"][:1]

    page = render_report(document(single), BlankCharts())
    assert "Only one model was tried: 3 segments with tied" in page
    assert "models were tried" not in page
    assert "16 models were tried" in render_report(document(), BlankCharts())
