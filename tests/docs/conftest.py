"""The fixtures of the command line that pages need."""

from command_line import kept, quick_reports, run, workplace  # noqa: F401
