"""The fixtures of the command line."""

from command_line import (  # noqa: F401
    customers,
    model,
    quick_reports,
    refused,
    rows,
    run,
    segmented,
    workplace,
)
