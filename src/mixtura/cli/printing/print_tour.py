"""The guided tour on the terminal: each part a table, and two sentences on what it means."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from mixtura.cli.console import plain_table
from mixtura.demo import Tour

__all__ = ["print_tour"]


def print_tour(console: Console, tour: Tour) -> None:
    """Print all parts of the tour."""
    console.print(Text("A tour of soft segments", style="bold"))
    console.print(
        f"A shop knows {' and '.join(tour.columns)} of {len(tour.customers)} customers (income in thousands a year, "
        "spending as a score). It does not know that there are three groups."
    )
    parts = (_memberships, _fit, _ambiguous, _shapes, _counts, _anomalies, _collapse)
    for number, part in enumerate(parts, start=1):
        part(console, tour, number)


def _heading(console: Console, number: int, text: str) -> None:
    console.print(Text(f"\n{number}. {text}", style="bold cyan"))


def _segments(tour: Tour) -> list[str]:
    return [f"segment {k}" for k in range(len(tour.weights))]


def _memberships(console: Console, tour: Tour, number: int) -> None:
    _heading(console, number, "Every customer belongs to every segment to some degree")
    table = plain_table("customer", *tour.columns, *_segments(tour))
    for customer in range(5):
        values = (f"{value:.2f}" for value in tour.customers[customer])
        shares = (f"{100 * share:.2f} %" for share in tour.memberships[customer])
        table.add_row(str(customer), *values, *shares)
    console.print(table)
    console.print(
        "Each row adds up to 100 %: it says how likely the customer is of each kind. A campaign can so be sent to "
        "those above 90 % only, instead of to all customers on a hard list."
    )


def _fit(console: Console, tour: Tour, number: int) -> None:
    _heading(console, number, "How large the segments are, and their typical customer")
    table = plain_table("", "mixing weight", *(f"mean {name}" for name in tour.columns))
    for k, name in enumerate(_segments(tour)):
        table.add_row(name, f"{tour.weights[k]:.4f}", *(f"{mean:.2f}" for mean in tour.means[k]))
    console.print(table)
    console.print(f"Converged: {'yes' if tour.converged else 'no'}, after {tour.n_iter} iterations.")
    console.print(
        "The weights are the shares of the three kinds among all customers, here about a third each. That the fit "
        "converged means that further work would not change the picture, so plans can be made on it."
    )


def _ambiguous(console: Console, tour: Tour, number: int) -> None:
    _heading(console, number, "Customers between two segments")
    table = plain_table("customer", *_segments(tour))
    for customer in tour.ambiguous:
        table.add_row(str(customer), *(f"{100 * share:.2f} %" for share in tour.memberships[customer]))
    console.print(table)
    distances = ", ".join(f"{distance:.2f}" for distance in tour.kmeans_distances)
    console.print(
        f"K-means puts customer {tour.ambiguous[0]} into its cluster {tour.kmeans_label} (distances to its centers: "
        f"{distances}), and says no more."
    )
    console.print(
        "These five could be won for either segment, and deserve a test or both offers. K-means gives the same answer "
        "for them as for the clearest case, so the doubt is lost before anybody can act on it."
    )


def _shapes(console: Console, tour: Tour, number: int) -> None:
    _heading(console, number, "Which shape the segments may have")
    table = plain_table("covariances", "silhouette", "BIC")
    for row in tour.shapes:
        table.add_row(row.name, f"{row.silhouette:.4f}", "" if row.bic is None else f"{row.bic:.2f}")
    console.print(table)
    best = min((row for row in tour.shapes if row.bic is not None), key=lambda row: row.bic or 0.0)
    console.print(
        f"The smallest BIC is the best bargain between fit and simplicity: here {best.name}. The silhouette shows "
        "how far apart the groups stand and is nearly the same for all; K-means is built to do well by it, and has no "
        "BIC to be judged by."
    )


def _counts(console: Console, tour: Tour, number: int) -> None:
    _heading(console, number, "How many segments there are")
    table = plain_table("segments", "BIC", "AIC")
    for row in tour.counts:
        table.add_row(str(row.n_components), f"{row.bic:.2f}", f"{row.aic:.2f}")
    console.print(table)
    console.print(f"Best by BIC: {tour.best_by_bic}. Best by AIC: {tour.best_by_aic}.")
    console.print(
        "Every further segment fits the table better, and both criteria charge for it. Where the charge exceeds the "
        "gain, a further segment would be a budget line for a group of customers that is not there."
    )


def _anomalies(console: Console, tour: Tour, number: int) -> None:
    _heading(console, number, "Anomalies")
    console.print(f"Log density: from {tour.log_density.min():.4f} to {tour.log_density.max():.4f}.")
    console.print(
        f"Threshold (4th percentile): {tour.threshold:.4f}. Below it: {len(tour.anomalies)} customers, "
        f"{', '.join(map(str, tour.anomalies))}."
    )
    console.print(
        "A low density says that hardly anybody is like this customer, whatever the segment. Look there first for "
        "typing errors, for fraud, and for a kind of customer that is only just appearing."
    )


def _collapse(console: Console, tour: Tour, number: int) -> None:
    _heading(console, number, "When a segment collapses onto one customer")
    table = plain_table("reg_covar", "width", "customers in it", "highest log density", "log-likelihood")
    for row in tour.collapse:
        table.add_row(
            f"{row.reg_covar:g}",
            f"{row.deviation:.6g}",
            f"{row.customers:.2f}",
            f"{row.highest_log_density:.4f}",
            f"{row.log_likelihood:.4f}",
        )
    console.print(table)
    console.print(
        "Asked for 20 segments, the fit puts one onto a single customer and shrinks it as far as reg_covar allows: the "
        "log-likelihood rises without end and means nothing. reg_covar is the least variance a segment may have, so "
        "set it to the square of the smallest difference that matters to you, and distrust segments of one."
    )
