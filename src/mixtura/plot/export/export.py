"""From a chart to a file, without a browser."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any, Literal, TypeAlias

from mixtura._optional import require_extra
from mixtura.exceptions import ParameterError
from mixtura.io import output_file
from mixtura.plot.export import worker
from mixtura.plot.theme.encodings import HIGHLIGHT
from mixtura.plot.theme.style import LIGHT, THEMES
from mixtura.plot.vega import Datasets, Spec

__all__ = [
    "Theme",
    "as_chart",
    "finalize",
    "render_png",
    "render_svg",
    "save_chart",
    "specification",
    "warm_up",
    "with_theme",
]

Theme: TypeAlias = Literal["light", "dark"]

_running: list[_Process] = []
"""Where pictures are rendered inside of `warm_up`; of several the last."""


def finalize(chart: Spec, datasets: Datasets) -> Spec:
    """Return the chart with its data, its look and the parameter ``highlight``."""
    return {
        **chart,
        "config": LIGHT,
        "params": [{"name": HIGHLIGHT, "value": None}],
        "datasets": datasets,
    }


def as_chart(chart: Spec, datasets: Datasets) -> Any:
    """Return a specification as a chart of Altair, with its data; it shows itself in a notebook.

    Raises
    ------
    OptionalDependencyError
        Altair is not installed.
    """
    with require_extra("altair", extra="cli", purpose="draw pictures"):
        import altair as alt
    kinds: Spec = {
        "layer": alt.LayerChart,
        "hconcat": alt.HConcatChart,
        "vconcat": alt.VConcatChart,
        "concat": alt.ConcatChart,
    }
    kind = next(made for key, made in kinds.items() if key in chart)
    found = kind.from_dict(finalize(chart, {}), validate=False)
    # Plain values already: turning thousands of rows into parts of Altair would take longer than drawing them.
    found.datasets = datasets
    return found


def with_theme(chart: Any, theme: Theme) -> Any:
    """Return the chart for light or for dark pages.

    Parameters
    ----------
    chart : altair chart
        From a function of this module.
    theme : {"light", "dark"}

    Raises
    ------
    ParameterError
        There is no such theme.

    Examples
    --------
    >>> from mixtura.plot import plot_confusion, with_theme
    >>> chart = plot_confusion([[0.9, 0.1], [0.2, 0.8]])
    >>> with_theme(chart, "dark").to_dict()["config"]["background"]
    '#1B1D21'
    """
    if theme not in THEMES:
        raise ParameterError(f"`theme` must be 'light' or 'dark'; got {theme!r}. Try `theme='dark'`.")
    # Not deep: a copy of thousands of points would take longer than drawing them.
    themed = chart.copy(deep=False)
    themed.config = THEMES[theme]
    return themed


def save_chart(chart: Any, path: str | Path, *, theme: Theme = "light", overwrite: bool = False) -> None:
    """Write a chart as HTML, SVG, PNG or JSON, by suffix; no browser is needed, and all of it is written or nothing.

    Parameters
    ----------
    chart : altair chart
        From a function of this module.
    path : str or Path
        An ``.html`` page holds all it needs and loads nothing from elsewhere; ``.json`` is the Vega-Lite specification.
    theme : {"light", "dark"}, default="light"
    overwrite : bool, default=False

    Raises
    ------
    ParameterError
        The suffix or the theme is none of these.
    OutputError
        The file exists and `overwrite` is False, or it cannot be written.
    OptionalDependencyError
        vl-convert is not installed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from mixtura.plot import plot_confusion, save_chart
    >>> chart = plot_confusion([[0.9, 0.1], [0.2, 0.8]], names=["frugal", "lavish"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_chart(chart, pathlib.Path(folder) / "confusion.svg")
    ...     (pathlib.Path(folder) / "confusion.svg").read_text(encoding="utf-8")[:4]
    '<svg'
    """
    suffix = Path(path).suffix.lower()
    if suffix not in {".html", ".svg", ".png", ".json"}:
        raise ParameterError(f"`path` must end in .html, .svg, .png or .json; got {str(path)!r}. Try .html.")
    content = _rendered(specification(with_theme(chart, theme)), suffix)
    with output_file(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(content)


def _rendered(specification: Spec, suffix: str) -> bytes:
    if suffix == ".json":
        return json.dumps(specification, ensure_ascii=False, separators=(",", ":")).encode()
    if _running:
        answer = _running[-1].ask(specification, suffix)
        if answer is not None:
            return answer
    with require_extra("vl-convert-python", extra="cli", purpose="draw pictures"):
        return worker.render(specification, suffix)


def specification(chart: Any) -> Spec:
    """Return the Vega-Lite specification of a chart of Altair, with its data.

    The chart is built from known parts; validating it against the schema would cost more than drawing it. So would
    converting its data, which are plain values already.
    """
    bare = chart.copy(deep=False)
    datasets = bare.datasets
    bare.datasets = {}
    found: Spec = bare.to_dict(validate=False)
    # Beside the chart's own data, those that a layer holds itself.
    return found | {"datasets": {**found.get("datasets", {}), **datasets}}


def render_png(specification: Spec) -> bytes:
    """Return the picture of a Vega-Lite specification.

    Raises
    ------
    OptionalDependencyError
        vl-convert is not installed.
    """
    return _rendered(specification, ".png")


def render_svg(specification: Spec) -> str:
    """Return the drawing of a Vega-Lite specification, as `to_dict` of a finished chart gives it.

    Raises
    ------
    OptionalDependencyError
        vl-convert is not installed.
    """
    return _rendered(specification, ".svg").decode()


@contextmanager
def warm_up() -> Iterator[None]:
    """Render inside the block in a process of its own, which starts at once and ends with the block.

    The first picture of a process costs half a second, and each the interpreter lock as long as it is drawn. On a
    second core, while the block computes something else, that is free. Where such a process cannot be had, pictures are
    rendered as they are elsewhere.
    """
    process = _Process()
    _running.append(process)
    try:
        yield
    finally:
        _running.remove(process)
        process.end()


class _Process:
    """A process that renders what it is asked, one after the other; see `mixtura.plot.export.worker`."""

    def __init__(self) -> None:
        # -P keeps the folder of the program, whose modules have names that others have, too, off the path.
        command = [sys.executable, "-P", worker.__file__]
        self._lock = threading.Lock()
        self._popen: Popen[bytes] | None = None
        with suppress(OSError):
            self._popen = Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)

    def ask(self, specification: Spec, suffix: str) -> bytes | None:
        """Return the picture; None where there is none, which whoever asks has to find out the reason of."""
        if self._popen is None:
            return None
        questions, answers = self._popen.stdin, self._popen.stdout
        assert questions is not None, "it was asked for"
        assert answers is not None, "it was asked for"
        try:
            with self._lock:
                questions.write(json.dumps([suffix, specification]).encode() + b"\n")
                questions.flush()
                status, _, size = answers.readline().partition(b" ")
                content = answers.read(int(size or 0))
        except OSError:
            return None
        return content if status == b"ok" else None

    def end(self) -> None:
        """End it: there are no more questions."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.communicate()
