"""The fixtures of the command line."""

from command_line import (  # noqa: F401
    customers,
    kept,
    model,
    quick_reports,
    refused,
    rows,
    run,
    workplace,
)
