"""Pictures by a process of its own: the same, whatever becomes of it."""

from __future__ import annotations

import io
import json
import re
import sys

import pytest

from mixtura.plot import render_svg, warm_up
from mixtura.plot.export import export
from mixtura.plot.export.worker import clip_lines_together, serve

POINT = {"data": {"values": [{"x": 1}]}, "mark": "point", "encoding": {"x": {"field": "x"}}}
BROKEN = {"mark": "no such mark", "data": 3}

CLIP = re.compile(r' clip-path="url\(#\w+\)"')


def ask(*questions: object) -> list[tuple[str, bytes]]:
    lines = b"".join(json.dumps(one).encode() + b"\n" for one in questions)
    answers = io.BytesIO()
    serve(io.BytesIO(lines), answers)
    answers.seek(0)
    found = []
    while head := answers.readline():
        status, size = head.split()
        found.append((status.decode(), answers.read(int(size))))
    return found


def test_each_question_is_answered_in_order() -> None:
    picture, broken, chart_context, page = ask(
        [".png", POINT], [".svg", BROKEN], [".svg", POINT], [".html", POINT]
    )
    assert picture[0] == chart_context[0] == page[0] == "ok"
    assert picture[1].startswith(b"\x89PNG")
    assert chart_context[1].startswith(b"<svg")
    assert b"<html>" in page[1]
    assert broken[0] == "error"
    assert broken[1]


def test_the_process_draws_what_is_drawn_without_it() -> None:
    alone = render_svg(POINT)
    with warm_up():
        process = export._running[-1]._popen
        assert process is not None
        assert export._running[-1].ask(POINT, ".svg") == alone.encode()
        assert render_svg(POINT) == alone
    assert export._running == []
    assert process.poll() is not None


def test_what_cannot_be_drawn_is_the_same_error() -> None:
    with pytest.raises(ValueError, match="conversion failed") as alone:
        render_svg(BROKEN)
    with warm_up(), pytest.raises(ValueError, match="conversion failed") as asked:
        render_svg(BROKEN)
    assert str(asked.value) == str(alone.value)


def test_without_a_process_pictures_are_drawn_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with warm_up():
        process = export._running[-1]._popen
        assert process is not None
        process.kill()
        process.wait()
        assert render_svg(POINT).startswith("<svg")
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with warm_up():
        assert export._running[-1]._popen is None
        assert render_svg(POINT).startswith("<svg")


def lines(*ends: float) -> dict[str, object]:
    """Return a chart of one clipped line per end, which do not cross, in a frame that ends at 1."""
    values = [{"x": x, "y": 0.1 * k + x * end, "line": k} for k, end in enumerate(ends) for x in (0, 1)]
    y = {"field": "y", "type": "quantitative", "scale": {"domain": [0, 1]}}
    encoding = {"x": {"field": "x", "type": "quantitative"}, "y": y, "detail": {"field": "line"}}
    return {
        "data": {"values": values},
        "layer": [{"mark": {"type": "line", "clip": True}, "encoding": encoding}],
    }


def test_lines_are_clipped_together() -> None:
    apart = render_svg(lines(0.5, 2.0, 3.0))
    together = clip_lines_together(apart)
    assert (len(CLIP.findall(apart)), len(CLIP.findall(together))) == (3, 1)
    assert CLIP.sub("", together) == CLIP.sub("", apart)
    assert re.search(r'_pathgroup" clip-path="url\(#clip\d+\)"', together)


def test_the_picture_is_that_of_lines_clipped_one_by_one() -> None:
    import vl_convert

    apart = render_svg(lines(0.5, 2.0, 3.0))
    cut, whole, before = (
        vl_convert.svg_to_png(one) for one in (clip_lines_together(apart), CLIP.sub("", apart), apart)
    )
    assert cut == before
    assert whole != before


def test_a_drawing_without_lines_stays() -> None:
    drawing = render_svg(POINT)
    assert clip_lines_together(drawing) == drawing
