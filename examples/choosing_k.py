"""How many components? Try them all, and let a criterion charge for each.

More components always fit better. BIC adds a price per parameter, so that it falls as long as a component is worth its
price and rises after that. The ring is the model chosen. If the lowest curve is flat around the ring, several answers
are about as good: prefer the one that is easier to explain.
"""

import sys

from mixtura import GaussianMixtureIC
from mixtura.datasets import make_customers
from mixtura.plot import plot_criterion, save_chart

customers = make_customers()
types = ["full", "tied", "diag", "spherical"]
model = GaussianMixtureIC(range(1, 8), covariance_type=types, random_state=0).fit(customers)

print(f"{model.n_components_} components, {model.covariance_type_}")
for candidate in model.search_.ranking[1:4]:
    behind = candidate.bic - model.criterion_
    print(
        f"next: {candidate.n_components} components, {candidate.covariance_type}, BIC larger by {behind:.1f}"
    )
save_chart(plot_criterion(model.search_), sys.argv[1], overwrite=True)
