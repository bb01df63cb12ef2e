"""The gallery: every script of `examples/` is run while the pages are built, and shown with its picture.

`<!-- gallery -->` becomes small pictures that lead to the sections, and a section per script.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

__all__ = ["on_files", "on_page_markdown", "on_post_build"]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MARK = "<!-- gallery -->"
# Kept until the pages are built, which copies the pictures out of it.
_folder: list[tempfile.TemporaryDirectory[str]] = []


def scripts() -> list[Path]:
    return sorted(EXAMPLES.glob("*.py"))


def story_of(script: Path) -> tuple[str, str]:
    """Return title and text of a script: the first line of its docstring, and the rest."""
    title, _, text = (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").partition("\n")
    return title.rstrip("."), text.strip()


def draw(script: Path, picture: Path) -> None:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, script, picture], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode != 0:
        raise PluginError(f"examples/{script.name} failed:\n{done.stderr}")


def on_files(files: Any, config: Any) -> Any:
    """Draw the pictures, two at a time, and add them to the site."""
    _folder.append(tempfile.TemporaryDirectory())
    pictures = {script: Path(_folder[-1].name) / f"{script.stem}.png" for script in scripts()}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(draw, pictures, pictures.values()))
    for picture in pictures.values():
        files.append(File.generated(config, f"gallery/{picture.name}", abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the mark."""
    if MARK not in markdown:
        return markdown
    return markdown.replace(MARK, "\n\n".join([_thumbnails(), *map(_section, scripts())]))


def on_post_build(**_: Any) -> None:
    """Remove the pictures, which the site has by now."""
    while _folder:
        _folder.pop().cleanup()


def _thumbnails() -> str:
    links = "\n".join(
        f'[![]({_picture(script)}){{ width="220" }}<br>{story_of(script)[0].partition(":")[0]}](#{script.stem})'
        for script in scripts()
    )
    return f'<div class="gallery" markdown>\n{links}\n</div>'


def _section(script: Path) -> str:
    title, text = story_of(script)
    code = script.read_text(encoding="utf-8").partition('"""\n\n')[2].rstrip()
    fenced = "\n".join(f"    {line}".rstrip() for line in f"```python\n{code}\n```".splitlines())
    return (
        f"## {title} {{ #{script.stem} }}\n\n{text}\n\n![{title}]({_picture(script)})\n\n"
        f'??? note "examples/{script.name}"\n\n{fenced}\n'
    )


def _picture(script: Path) -> str:
    return f"gallery/{script.stem}.png"
