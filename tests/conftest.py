"""What every test may rely on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lanes import add_options, choose, print_lanes

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    choose(config, items)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    print_lanes(terminalreporter)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data sets beside the repository; tests that need it are skipped without it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the public data sets do not lie beside the repository")
    return SHARED_DATA


@pytest.fixture(scope="session")
def thorough(request: pytest.FixtureRequest) -> bool:
    """Whether ten times the generated tables are asked for."""
    return bool(request.config.getoption("thorough"))


@pytest.fixture(scope="session", autouse=True)
def _short_differences() -> Iterator[None]:
    """On a build server pytest would show all differences, which of two files of a megabyte takes hours."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CI", "BUILD_NUMBER"):
            patch.delenv(name, raising=False)
        yield
