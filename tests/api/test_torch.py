"""Tensors of torch, with scikit-learn's array API dispatch on and without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import scipy
from sklearn.utils.fixes import parse_version

pytestmark = [
    pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed"),
    pytest.mark.skipif(
        parse_version(scipy.__version__) < parse_version("1.14"),
        reason="scikit-learn dispatches with SciPy from 1.14 on",
    ),
]

FOUND = """
import json, sys, warnings
import numpy as np, sklearn, torch
from sklearn.datasets import load_iris
import mixtura
from mixtura import GaussianMixture, GaussianMixtureIC, KMeans, Mixture, Segmenter
from mixtura.select import search

warnings.simplefilter("error")
rows = load_iris().data
plain = torch.tensor(rows)
spread = torch.empty(300, 8, dtype=torch.float64)
spread[::2, ::2] = plain
tensors = {
    "float64": (plain, rows),
    "float32": (plain.float(), rows.astype(np.float32)),
    "with a gradient": (plain.clone().requires_grad_(True), rows),
    "a parameter": (torch.nn.Parameter(plain.clone()), rows),
    "not contiguous": (spread[::2, ::2], rows),
    "turned over": (torch.tensor(rows.T.copy()).T, rows),
    "whole numbers": (plain.long(), rows.astype(np.int64)),
    "half": (plain.half(), rows.astype(np.float16)),
}
estimators = [
    GaussianMixture(3, random_state=0),
    GaussianMixtureIC([2, 3], covariance_type=["VVV", "EEE"], random_state=0),
    KMeans(3, random_state=0),
]
weights = torch.linspace(0.5, 2.0, 150, dtype=torch.float64).requires_grad_(True)
found = {}
with sklearn.config_context(array_api_dispatch=json.loads(sys.argv[1])):
    for name, (tensor, array) in tensors.items():
        for one in estimators:
            ours = sklearn.clone(one).fit(tensor, sample_weight=weights)
            labels = ours.predict(tensor)
            with sklearn.config_context(array_api_dispatch=False):
                wanted = sklearn.clone(one).fit(array, sample_weight=weights.detach().numpy())
            same = type(labels) is np.ndarray and (labels == wanted.predict(array)).all()
            found[f"{type(one).__name__}, {name}"] = bool(same and ours.score(tensor) == wanted.score(array))
    start = plain[[0, 60, 120]].clone().requires_grad_(True)
    begun = GaussianMixture(3, means_init=start, weights_init=torch.ones(3) / 3, random_state=0).fit(plain)
    wanted = GaussianMixture(3, means_init=rows[[0, 60, 120]], weights_init=np.ones(3) / 3, random_state=0).fit(rows)
    found["starts"] = bool((begun.means_ == wanted.means_).all())
    chosen = search(tensors["with a gradient"][0], components=[2, 3], covariance_types=["VVV"])
    found["search"] = chosen.best.bic == search(rows, components=[2, 3], covariance_types=["VVV"]).best.bic
    given = Mixture.from_parameters(torch.tensor([0.5, 0.5]), start[:2], torch.eye(4).repeat(2, 1, 1), "full")
    found["mixture"] = bool((given.predict(tensors["with a gradient"][0]) == given.predict(rows)).all())
    parted = Segmenter([2, 3]).fit(tensors["with a gradient"][0])
    found["segmenter"] = bool((parted.predict(plain) == Segmenter([2, 3]).fit(rows).predict(rows)).all())
print(json.dumps(found))
"""

REFUSED = """
import json, sys
import sklearn, torch
from sklearn.datasets import load_iris
import mixtura

plain = torch.tensor(load_iris().data)
said = []
with sklearn.config_context(array_api_dispatch=json.loads(sys.argv[1])):
    for tensor in (plain.bfloat16(), plain.to_sparse(), plain.to("meta")):
        try:
            mixtura.GaussianMixture(3).fit(tensor)
        except mixtura.exceptions.DataError as error:
            said.append(str(error))
print(json.dumps(said))
"""

dispatched = pytest.mark.parametrize("dispatch", [True, False], ids=["dispatch", "no dispatch"])


def run(code: str, *, dispatch: bool) -> object:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    if dispatch:
        environment["SCIPY_ARRAY_API"] = "1"  # before SciPy is imported
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(dispatch)],
        cwd=Path(__file__).parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@dispatched
def test_tensors_are_read_as_numpys_arrays(dispatch: bool) -> None:
    found = run(FOUND, dispatch=dispatch)
    assert isinstance(found, dict)
    assert len(found) == 28
    assert [name for name, same in found.items() if not same] == []


@dispatched
def test_tensors_that_numpy_cannot_read_are_refused_with_what_to_do(dispatch: bool) -> None:
    said = run(REFUSED, dispatch=dispatch)
    assert isinstance(said, list)
    assert [text.partition("; got ")[0] for text in said] == ["`X` must be an array that NumPy can read"] * 3
    assert "torch.bfloat16 on device cpu" in said[0]
    assert "on device meta" in said[2]
    assert all("X.to_dense().double().cpu()" in text for text in said)
