#!/bin/sh
# semopy 2.3.11: calc_stats states the misfit of a model as its log-likelihood, and so AIC and BIC fall as the fit gets worse.
# "LogLik" is the discrepancy that is minimized (0 for a perfect fit, larger for a worse one, not multiplied by the number of
# rows), and AIC is 2 (k - LogLik). Of models with equally many parameters the worst has the best AIC and BIC; an added
# parameter is never worth its penalty, however much it explains. The chi-square test of the same table is right.
# Seen: AIC 7.997 for the model that the rows come from and 6.486 for a wrong one with as many parameters; by the definition
# it is 2782.7 and 3084.9. LogLik is 0.001 and 0.757 where the log-likelihood is -1387.4 and -1538.5.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q semopy==2.3.11 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import numpy as np
import pandas as pd
import semopy

rng = np.random.default_rng(0)
n = 400
x = rng.standard_normal(n)
y = x + 0.7 * rng.standard_normal(n)
z = y + 0.7 * rng.standard_normal(n)
rows = pd.DataFrame({"x": x, "y": y, "z": z})
rows -= rows.mean()


def log_likelihood(model) -> float:
    names = model.vars["observed"]
    fitted, seen = model.calc_sigma()[0], np.cov(rows[names].to_numpy().T, bias=True)
    constant = len(names) * np.log(2 * np.pi) + np.linalg.slogdet(fitted)[1]
    return float(-n / 2 * (constant + np.trace(np.linalg.solve(fitted, seen))))


found = {}
print("semopy", importlib.metadata.version("semopy"))
for name, text in (("true ", "y ~ x\nz ~ y"), ("wrong", "y ~ x\nz ~ x")):
    model = semopy.Model(text)
    model.fit(rows)
    stated, k = semopy.calc_stats(model).loc["Value"], len(model.param_vals)
    true = log_likelihood(model)
    found[name] = stated["LogLik"], stated["AIC"], stated["BIC"], stated["chi2"], true, 2 * (k - true), k
    print(name, "LogLik, AIC, BIC, chi2 stated:", *found[name][:4], "log-likelihood and AIC by definition:", *found[name][4:])
(ll, aic, bic, chi2, true, by_definition, k), other = found["true "], found["wrong"]
same = k == other[6] and abs((other[3] - chi2) - 2 * (true - other[4])) < 0.01 * other[3]
sys.exit(not (same and by_definition < other[5] - 50 and aic > other[1] and bic > other[2] and ll < other[0] < 5))
PYTHON
