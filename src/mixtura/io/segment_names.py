"""Names for segments from a file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from mixtura.exceptions import ParameterError

__all__ = ["read_names"]

_EXAMPLE = '1 = "Savers", or "high income" = "Wealthy", one per line'


def read_names(path: str | Path) -> dict[str, str]:
    r"""Read what segments shall be called from a TOML file.

    Parameters
    ----------
    path : str or Path
        Lines of a segment's number or automatic name, an equals sign, and the name, in quotes.

    Raises
    ------
    ParameterError
        The file is missing, is not TOML, or holds values that are not text.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from mixtura.io import read_names
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "names.toml")
    ...     _ = path.write_text('1 = "Savers"\n"high income" = "Wealthy"', encoding="utf-8")
    ...     read_names(path)
    {'1': 'Savers', 'high income': 'Wealthy'}
    """
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ParameterError(
            f"The names {str(path)!r} cannot be read ({error.strerror}). A TOML file is required: {_EXAMPLE}."
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ParameterError(
            f"{str(path)!r} is not valid TOML ({error}). Required: {_EXAMPLE}. Put names in quotes."
        ) from error
    for key, name in content.items():
        if not isinstance(name, str):
            raise ParameterError(
                f"The names {str(path)!r} give {key!r} the name {name!r}, which is not text. Required: {_EXAMPLE}. "
                "Put it in quotes."
            )
    return dict(content)
