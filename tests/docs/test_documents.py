"""Every example in the README and the documentation runs, and prints what the page says it prints.

The Python blocks of a page run in order, in one namespace; a `text` block directly after one is its output.
A line of shell that starts with `mixtura` is run in a folder that holds the tour's table, and the statement of one that
starts with `duckdb -c` by DuckDB.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from survey_files import write_sav

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
READ_FIRST = ("README.md", "docs/tutorial.md")
FENCE = re.compile(r"^```(?P<language>\w+)[^\n]*\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    language: str
    body: str
    line: int
    follows: bool
    """Whether nothing but blank lines stand between this block and the one before."""


def blocks_of(text: str) -> list[Block]:
    blocks = []
    end = 0
    for match in FENCE.finditer(text):
        follows = end > 0 and not text[end : match.start()].strip()
        line = text[: match.start()].count("\n") + 1
        blocks.append(Block(match["language"], match["body"], line, follows))
        end = match.end()
    return blocks


def run(block: Block, page: Path, namespace: dict[str, object]) -> str:
    padding = "\n" * block.line  # so that a traceback names the line of the page
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(padding + block.body, str(page), "exec"), namespace)
    return printed.getvalue()


def check(page: Path) -> int:
    """Run the Python of a page, compare what it prints, and return how many outputs were compared."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    printed, compared = None, 0
    for block in blocks_of(page.read_text(encoding="utf-8")):
        if block.language == "python":
            printed = run(block, page, namespace)
        elif block.language == "text" and block.follows and printed is not None:
            assert [line.rstrip() for line in printed.splitlines()] == block.body.splitlines(), block.line
            printed, compared = None, compared + 1
        else:
            printed = None
    return compared


def with_block(language: str) -> list[Any]:
    """Return the pages that hold code in a language; all but those that are read first are slow."""
    return [
        pytest.param(page, marks=() if name_of(page) in READ_FIRST else pytest.mark.slow)
        for page in PAGES
        if any(block.language == language for block in blocks_of(page.read_text(encoding="utf-8")))
    ]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tour's table in a file, as a user would have one."""
    from mixtura.datasets import make_customers

    path = tmp_path_factory.mktemp("table") / "customers.csv"
    rows = "\n".join(
        f"{number},{income!r},{spending!r}"
        for number, (income, spending) in enumerate(make_customers().tolist())
    )
    path.write_text(f"customer,income,spending\n{rows}\n", encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path, table: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the tour's table under the names that the pages use."""
    for name in ("customers.csv", "new-customers.csv"):
        (tmp_path / name).write_bytes(table.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", with_block("python"), ids=name_of)
@pytest.mark.usefixtures("folder")
def test_the_python_of_a_page_prints_what_the_page_says(page: Path) -> None:
    check(page)


@pytest.mark.parametrize("page", with_block("sh"), ids=name_of)
@pytest.mark.usefixtures("folder")
def test_the_commands_of_a_page_run(page: Path, kept: Callable[..., str]) -> None:
    """What several pages run on the same files is run once."""
    text = page.read_text(encoding="utf-8")
    if "survey.sav" in text:
        write_sav(Path("survey.sav"))
    if "--known" in text:
        query = "SELECT *, CASE WHEN spending > 95 THEN 'gold' WHEN income > 75 THEN 'plain' END AS tier FROM 'c.csv'"
        Path("customers.csv").rename("c.csv")
        duckdb.sql(query).write_csv("customers.csv")
    if "--in-database" in text:
        with duckdb.connect("crm.duckdb") as crm:
            crm.sql("CREATE TABLE customers AS SELECT *, true AS active FROM 'customers.csv'")
    for block in blocks_of(text):
        for line in block.body.replace("\\\n", " ").splitlines() if block.language == "sh" else ():
            words = shlex.split(line, comments=True)
            if any(word.startswith(("postgresql://", "tcp://")) for word in words):
                continue  # such are run in tests/services
            if words[:1] == ["mixtura"]:
                kept(*words[1:])
            elif words[:2] == ["duckdb", "-c"]:
                duckdb.sql(words[2])


def test_a_wrong_output_would_be_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1 + 1)\n```\n\n```text\n2\n```\n", encoding="utf-8")
    assert check(page) == 1
    page.write_text("```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError):
        check(page)


def test_the_tutorial_shows_outputs() -> None:
    blocks = blocks_of((ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8"))
    assert sum(block.language == "text" for block in blocks) >= 8
