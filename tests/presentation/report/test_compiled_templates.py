"""Templates are compiled once, and again when their text changes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

jinja2 = pytest.importorskip("jinja2")
compiled_templates = pytest.importorskip("mixtura.report.compiled_templates")


def rendered(folder: Path, text: str) -> tuple[str, int]:
    """What a template gives in an environment of its own, and how many were compiled for it."""
    compiled = []

    class Watched(jinja2.Environment):  # type: ignore[name-defined, misc]
        def _compile(self, *given: Any) -> Any:
            compiled.append(given)
            return super()._compile(*given)

    cache = compiled_templates.CompiledTemplates(folder)
    environment = Watched(loader=jinja2.DictLoader({"page": text}), bytecode_cache=cache)
    return environment.get_template("page").render(x=2), len(compiled)


@pytest.mark.parametrize("writes", [True, False])
def test_they_are_kept_where_python_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: bool
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", not writes)
    assert rendered(tmp_path, "{{ x + 1 }}") == ("3", 1)
    assert (tmp_path / "__pycache__").is_dir() == writes
    assert rendered(tmp_path, "{{ x + 1 }}") == ("3", 0 if writes else 1)
    assert rendered(tmp_path, "{{ x + 2 }}") == ("4", 1)


def test_a_folder_that_is_none_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "file").write_text("no folder")
    for _ in range(2):
        assert rendered(tmp_path / "file", "{{ x }}") == ("2", 1)
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
