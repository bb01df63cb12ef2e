"""Every example runs, draws a picture, and prints what its story says."""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))
PNG = b"\x89PNG\r\n\x1a\n"

PRINTED = {
    "anomaly_kmeans_misses": "mixture: 0% of all customers are less expected",
    "choosing_k": "3 components, spherical",
    "fourteen_shapes": "VEE with 2 components",
    "overlap_and_merging": "4 components, 3 clusters",
    "weights": "with weights:    [0.5, 0.5]",
}


def test_there_are_about_twelve() -> None:
    assert 12 <= len(SCRIPTS) <= 16
    assert set(PRINTED) <= {script.stem for script in SCRIPTS}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda one: one.stem)
def test_an_example_is_short_and_has_a_story(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    title, _, story = (ast.get_docstring(ast.parse(text)) or "").partition("\n\n")
    assert title.endswith((".", "?"))
    assert len(story.split()) >= 40
    assert 20 <= len(text.splitlines()) <= 60


@pytest.mark.slow
@pytest.mark.no_cover
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda one: one.stem)
def test_an_example_draws_its_picture(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "picture.png"
    monkeypatch.setattr(sys, "argv", [str(script), str(picture)])
    runpy.run_path(str(script), run_name="__main__")
    content = picture.read_bytes()
    assert content.startswith(PNG)
    assert len(content) > 20_000
    assert PRINTED.get(script.stem, "") in capsys.readouterr().out
