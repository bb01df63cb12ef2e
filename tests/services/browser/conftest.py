"""A report in a headless browser that may talk to nobody."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mixtura.datasets import make_customers
from mixtura.report import REPORT
from mixtura.segments import Effort, segment_table

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ATTACK = "<script>window.attacked = true</script>"
IMAGE = '"><img src=x onerror="window.attacked = true">'


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="Playwright's Python package is not installed"
    )
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("there is no Chromium; on Debian: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        # Containers give a browser neither a sandbox nor much shared memory.
        launched = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of customers with hostile names, of 300 rows, with everything in it."""
    rows = make_customers()
    texts = [ATTACK, IMAGE, "=1+1", "\u202eevil", "مرحبا", "🦊 fox"]
    frame = pl.DataFrame(
        {
            "customer_id": [f"{texts[number % 6]} {number}" for number in range(300)],
            f"income {ATTACK}": rows[:, 0],
            "spending on groceries, frozen goods and detergents in a year (thousand USD)": rows[:, 1],
            "region": [texts[number % 6] for number in range(300)],
        }
    )
    result = segment_table(
        frame, describe=["region"], id_column="customer_id", components=[2, 3], names={1: ATTACK, 2: IMAGE}
    )
    page = REPORT.page(result.with_effort(Effort(resamples=6)))
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


class Visit:
    """A page, and what went wrong or went out."""

    def __init__(self, page: Any, path: Path) -> None:
        self.page, self.complaints, self.requests = page, list[str](), list[str]()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(path.as_uri())


@pytest.fixture
def visit(browser: Any, report: Path) -> Iterator[Any]:
    """Open the report; arguments are those of a browser's page."""
    opened = []

    def open_page(**options: Any) -> Visit:
        page = browser.new_page(**options)
        opened.append(page)
        return Visit(page, report)

    yield open_page
    for page in opened:
        page.close()
