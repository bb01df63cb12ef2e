"""The fixtures of the command line, which clusters are used by, too."""

from command_line import quick_reports, refused, run, workplace  # noqa: F401
