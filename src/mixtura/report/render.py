"""From a document and its charts to one page that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixtura._optional import require_extra
from mixtura.plot.theme.palette import segment_colors
from mixtura.report.charts import Chart
from mixtura.report.glossary import GLOSSARY
from mixtura.report.view import page_view
from mixtura.report.wording import (
    count_text,
    fixed_text,
    ink_on,
    number_of,
    p_value_text,
    percent_text,
    share_interval_text,
    signed_text,
    word_parts,
)

if TYPE_CHECKING:
    from jinja2 import Environment

    from mixtura.segments.results.document import Document

__all__ = ["render_page", "render_report"]


def render_report(document: Document, charts: Mapping[str, Chart]) -> str:
    """Return the page: one file, which asks no host for anything, and says so to the browser.

    Parameters
    ----------
    document : Document
        As `SegmentationResult.document` gives it.
    charts : mapping of str to Chart
        From `mixtura.report.draw_charts`.

    Returns
    -------
    str
        HTML. Its content security policy lets run and apply only the script and the style that it holds, by their
        hashes; every text of the table is escaped.

    Raises
    ------
    OptionalDependencyError
        Jinja2 is not installed.
    """
    return render_page("report.html", len(document.segments), page_view(document), charts)


def render_page(template: str, n_segments: int, view: Mapping[str, Any], charts: Mapping[str, Chart]) -> str:
    """Return a page of a template, with the style sheet and the script that all pages have.

    Parameters
    ----------
    template : str
        Name of its file.
    n_segments : int
        Colors that it needs.
    view : mapping
        What it shows, ``s`` in the template.
    charts : mapping of str to Chart
    """
    environment = _environment()
    colors = segment_colors(n_segments)
    inks = [ink_on(color) for color in colors]
    style = environment.get_template("report.css").render(colors=colors, inks=inks)
    script = _read("report.js")
    return environment.get_template(template).render(
        s=view,
        charts=charts,
        glossary=GLOSSARY,
        style=style,
        script=script,
        policy=_policy(style, script),
    )


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _read(name: str) -> str:
    return files("mixtura.report").joinpath("templates", name).read_text(encoding="utf-8")


def _environment() -> Environment:
    with require_extra("jinja2", extra="cli", purpose="write reports"):
        import jinja2

        from mixtura.report.compiled_templates import CompiledTemplates
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_read),
        bytecode_cache=CompiledTemplates(Path(str(files("mixtura.report").joinpath("templates")))),
        # The style sheet has no text of the table in it, and quotes in it are quotes.
        autoescape=lambda name: name is None or name.endswith(".html"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "count": count_text,
        "fixed": fixed_text,
        "number": number_of,
        "p_value": p_value_text,
        "percent": percent_text,
        "share_interval": lambda ends: share_interval_text(*ends),
        "signed": signed_text,
        "word_parts": word_parts,
    }
    environment.filters |= filters
    return environment
