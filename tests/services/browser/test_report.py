"""The report as somebody meets it: in a browser, on a phone, by keyboard, on paper."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pictures import pixels

Visit = Callable[..., Any]


def test_no_errors_and_no_requests(visit: Visit) -> None:
    opened = visit()
    opened.page.wait_for_timeout(300)
    assert opened.complaints == []
    assert len(opened.requests) == 1
    assert opened.requests[0].startswith("file:")


def test_the_policy_forbids_what_it_says(visit: Visit) -> None:
    opened = visit()
    blocked = opened.page.evaluate(
        """async () => {
            const script = document.createElement("script");
            script.textContent = "window.attacked = true";
            document.body.append(script);
            try { await fetch("https://example.org/"); return "fetched"; } catch { return "blocked"; }
        }"""
    )
    assert blocked == "blocked"
    assert opened.page.evaluate("window.attacked") is None
    assert any("Content Security Policy" in complaint for complaint in opened.complaints)


def test_hostile_texts_stay_texts(visit: Visit) -> None:
    page = visit().page
    assert page.evaluate("window.attacked") is None
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1
    assert "<script>window.attacked = true</script>" in page.locator(".card h3").first.inner_text()


def test_charts_are_drawn(visit: Visit) -> None:
    page = visit(viewport={"width": 1200, "height": 900}).page
    charts = page.locator("svg.chart:visible")  # those for narrow pages are hidden here
    assert charts.count() >= 8
    for number in range(charts.count()):
        picture = pixels(charts.nth(number).screenshot())
        assert picture.shape[0] > 60
        assert picture.std() > 4, page.locator("figcaption").nth(number).inner_text()


def test_selecting_a_segment_pales_the_others_everywhere(visit: Visit) -> None:
    page = visit().page
    before = pixels(page.locator("svg.chart").first.screenshot())
    page.locator('.chip[data-select="3"]').click()
    page.wait_for_timeout(300)
    opacity = "element => getComputedStyle(element).opacity"
    own = page.locator('svg.chart [data-segment="3"]').first.evaluate(opacity)
    other = page.locator('svg.chart [data-segment="1"]').first.evaluate(opacity)
    assert float(other) < 0.2 < float(own)
    assert float(page.locator('.card[data-segment="2"]').evaluate(opacity)) < 0.2
    assert np.abs(pixels(page.locator("svg.chart").first.screenshot()) - before).mean() > 1
    shown = page.locator("#ambiguous tbody tr:not([hidden])")
    assert all("3" in (row.get_attribute("data-segments") or "").split() for row in shown.all())
    assert page.locator("#ambiguous tbody tr[hidden]").count() > 0
    assert page.locator('.chip[aria-pressed="true"]').get_attribute("data-select") == "3"
    page.keyboard.press("Escape")
    assert page.locator("body").get_attribute("data-selected") == "0"
    assert page.locator("#ambiguous tbody tr[hidden]").count() == 0


def test_every_chart_with_segments_answers_a_click(visit: Visit) -> None:
    page = visit().page
    page.locator('svg.chart [data-segment="3"]').first.dispatch_event("click")
    assert page.locator("body").get_attribute("data-selected") == "3"
    charts = page.evaluate(
        """() => Array.from(document.querySelectorAll("svg.chart"))
            .filter((chart) => chart.querySelector("[data-segment]"))
            .map((chart) => Array.from(chart.querySelectorAll("[data-segment]"))
                .every((mark) => (mark.dataset.segment === "3") === (getComputedStyle(mark).opacity !== "0.12")))"""
    )
    assert len(charts) >= 6
    page.wait_for_timeout(300)


def test_the_table_sorts(visit: Visit) -> None:
    page = visit().page
    header = page.locator("#ambiguous th", has_text="Membership").first
    values = "rows => rows.filter((row) => !row.hidden).map((row) => Number(row.cells[2].dataset.value))"

    def column() -> list[float]:
        return list(page.locator("#ambiguous tbody tr").evaluate_all(values))

    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert column() == sorted(column())
    header.locator("button").press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    assert column() == sorted(column(), reverse=True)
    assert len(column()) > 5


def test_the_table_searches(visit: Visit) -> None:
    page = visit().page
    rows = page.locator("#ambiguous tbody tr")
    wanted = rows.nth(3).locator("th").inner_text()
    page.locator("#search-ambiguous").fill(wanted)
    shown = page.locator("#ambiguous tbody tr:not([hidden])")
    assert 1 <= shown.count() < rows.count()
    assert wanted in shown.first.inner_text()
    assert page.locator('[data-count="ambiguous"]').inner_text() == f"{shown.count()} of {rows.count()} shown"
    page.locator("#search-ambiguous").fill("nobody is called so")
    assert shown.count() == 0


def test_terms_are_explained_on_hover_and_by_keyboard(visit: Visit) -> None:
    page = visit().page
    term, tip = page.locator(".term").first, page.locator("#tip")
    assert tip.is_hidden()
    term.hover()
    text = page.locator(f"#{term.get_attribute('aria-describedby')}").inner_text()
    assert tip.inner_text() == text
    page.mouse.move(0, 0)
    term.focus()
    assert tip.is_visible()
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    mark = page.locator("svg.chart [data-tip]").first
    mark.scroll_into_view_if_needed()
    mark.hover(force=True)
    assert "segment: " in tip.inner_text()


def luminance(page: Any, selector: str) -> float:
    return float(pixels(page.locator(selector).screenshot()).mean())


def test_dark_mode_follows_the_system_and_the_button(visit: Visit) -> None:
    dark = visit(color_scheme="dark").page
    light = visit(color_scheme="light").page
    assert luminance(dark, "#verdict") < 70
    assert luminance(light, "#verdict") > 200
    light.locator("#theme").click()
    assert luminance(light, "#verdict") < 70
    light.locator("#theme").click()
    assert luminance(light, "#verdict") > 200


@pytest.mark.parametrize("width", [360, 768, 960, 1280])
def test_letters_in_charts_can_be_read(visit: Visit, width: int) -> None:
    """Wide drawings on a tablet had letters of five pixels (case 25)."""
    page = visit(viewport={"width": width, "height": 740}).page
    sizes = page.evaluate(
        "[...document.querySelectorAll('svg.chart')].filter(one => one.checkVisibility())"
        ".flatMap(one => [...one.querySelectorAll('text')].map("
        "text => parseFloat(getComputedStyle(text).fontSize) * one.getScreenCTM().a))"
    )
    assert len(sizes) > 50
    assert min(sizes) >= 7.5


@pytest.mark.parametrize("width", [360, 1280])
def test_no_letter_of_a_chart_is_cut(visit: Visit, width: int) -> None:
    """A long vertical title lost letters at both ends on a phone."""
    page = visit(viewport={"width": width, "height": 740}).page
    cut = page.evaluate(
        "[...document.querySelectorAll('svg.chart')].filter(one => one.checkVisibility()).flatMap(one => {"
        " const frame = one.getBoundingClientRect();"
        " return [...one.querySelectorAll('text')].filter(text => {"
        "  const own = text.getBoundingClientRect();"
        "  return own.left < frame.left || own.right > frame.right || own.top < frame.top || own.bottom > frame.bottom;"
        " }).map(text => text.textContent)})"
    )
    assert cut == []


@pytest.mark.parametrize("width", [360, 800, 1280])
def test_no_sideways_scrolling(visit: Visit, width: int) -> None:
    page = visit(viewport={"width": width, "height": 740}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("details").first.evaluate("element => { element.open = true; }")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_paper_has_all_of_it_in_ink_on_white(visit: Visit) -> None:
    page = visit(color_scheme="dark").page
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".chips").is_hidden()


def axe_source(folder: Path) -> str:
    """The accessibility checker, from npm's registry; it is not part of this project."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm, which fetches axe-core, is not installed")
    kept = folder / "axe.min.js"
    if not kept.exists():
        try:
            done = subprocess.run(
                [npm, "pack", "axe-core@4", "--silent"], cwd=folder, capture_output=True, text=True, timeout=90,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            pytest.skip("npm's registry does not answer")
        if done.returncode:
            pytest.skip(f"axe-core cannot be fetched: {done.stderr.strip()[-200:]}")
        with tarfile.open(folder / done.stdout.strip().splitlines()[-1]) as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member is not None
            kept.write_bytes(member.read())
    return kept.read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_keeps_anybody_out(
    browser: Any, report: Path, tmp_path_factory: pytest.TempPathFactory, scheme: str, width: int
) -> None:
    source = axe_source(tmp_path_factory.getbasetemp())
    # The policy of the page would not let the checker in.
    context = browser.new_context(
        bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    page.goto(report.as_uri())
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.evaluate(source)
    found = page.evaluate("async () => (await axe.run()).violations")
    context.close()
    serious = [
        (one["id"], one["help"], one["nodes"][0]["html"][:200])
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]
    assert serious == []
