"""A campaign from memberships: whom to address, and how many will fit.

A campaign for one segment should not stop at its border. Customers who belong to it with 40 % are worth a letter if the
letter is cheap. The memberships add up to the expected number of customers who belong, so that the budget and the yield
of every threshold can be computed beforehand. In the picture large points are uncertain customers: the audience of a
low threshold reaches into the pale areas.
"""

import sys

from mixtura import Segmentation
from mixtura.datasets import make_customers
from mixtura.plot import plot_uncertainty, save_chart

segmentation = Segmentation.fit(make_customers(as_frame="pandas"), components=[3])
segment = segmentation.names[0]
belongs = segmentation.memberships["probability_1"]

print(f"for {segment!r}:")
for threshold in (0.3, 0.5, 0.9):
    audience = segmentation.audience(segment, min_probability=threshold)
    expected = audience["probability"].sum()
    print(
        f"at least {threshold:.0%}: {len(audience)} letters, {expected:.1f} of {belongs.sum():.1f} expected members"
    )

save_chart(plot_uncertainty(segmentation.result), sys.argv[1], overwrite=True)
