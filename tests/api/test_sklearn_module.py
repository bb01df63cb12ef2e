"""scikit-learn's own tests of its mixtures, run with our class in the place of theirs.

The modules are read from the installed scikit-learn; in a copy of each, the one import of `GaussianMixture`
is redirected, and the copies run in a pytest of their own under scikit-learn's own fixtures. Those of its
tests that only exercise private functions of scikit-learn (`test_suffstat_sk_*`, `test_compute_log_det_cholesky`)
pass whatever our class does: they are run, not counted as evidence.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import sklearn.mixture
from sklearn.utils.fixes import parse_version

PRIVATE = {
    "test_gaussian_mixture_precisions_init": "calls the private methods `_set_parameters` and `_initialize`",
    "test_gaussian_mixture_all_init_does_not_estimate_gaussian_parameters": (
        "counts calls of scikit-learn's private function `_estimate_gaussian_parameters`"
    ),
}
"""Tests that reach into scikit-learn's private parts, and how; all others must pass."""

BEFORE_1_7 = parse_version(sklearn.__version__) < parse_version("1.7")
if BEFORE_1_7:
    PRIVATE["test_regularisation"] = (
        "asks for the wording of a message that 1.7 changed; ours is the later one"
    )

SKIPPED = re.compile(
    r"(array_api_strict|cupy|torch|dpnp) is not installed|SCIPY_ARRAY_API (is )?not set|run float32 dtype tests"
)
"""Why scikit-learn itself skips: libraries of other array types, and float32 tests where they are not asked for."""

VACUOUS = re.compile(r"test_suffstat_sk_|test_gaussian_suffstat_sk_|test_compute_log_det_cholesky")

IMPORT = re.compile(
    r"^from sklearn\.mixture import (BayesianGaussianMixture, )?GaussianMixture$", re.MULTILINE
)


def redirected(module: str) -> str:
    source = Path(sklearn.mixture.__file__).with_name("tests") / f"{module}.py"
    text, count = IMPORT.subn(
        "from mixtura import GaussianMixture\nfrom sklearn.mixture import BayesianGaussianMixture",
        source.read_text(encoding="utf-8"),
    )
    assert count == 1, "scikit-learn changed how its tests import the class"
    return text


def run_redirected(module: str, folder: Path, float32: bool, seed: str) -> dict[str, tuple[str, str]]:
    """Run one module; return the status and the message of each of its tests."""
    (folder / f"{module}.py").write_text(redirected(module), encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\njunit_family = xunit2\n", encoding="utf-8")
    (folder / "conftest.py").write_text(
        "import mixtura\n"
        "def pytest_terminal_summary():\n"
        "    import sys\n"
        f"    assert sys.modules['{module}'].GaussianMixture is mixtura.GaussianMixture\n",
        encoding="utf-8",
    )
    environment = os.environ | {
        "SKLEARN_RUN_FLOAT32_TESTS": str(int(float32)),
        "SKLEARN_TESTS_GLOBAL_RANDOM_SEED": seed,
    }
    command = ["-m", "pytest", "-q", "-p", "sklearn.conftest", "-p", "no:cacheprovider", "-p", "no:cov"]
    done = subprocess.run(
        [sys.executable, *command, "--junitxml=report.xml", f"{module}.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    statuses = {}
    for case in ET.parse(folder / "report.xml").iter("testcase"):
        child = case.find("*")
        status = ("passed", "") if child is None else (child.tag, child.get("message", ""))
        statuses[case.get("name", "")] = status
    return statuses


@pytest.mark.parametrize(
    ("module", "float32", "seed", "least"),
    [
        ("test_gaussian_mixture", False, "42", 45),
        pytest.param("test_gaussian_mixture", True, "0", 60, marks=pytest.mark.slow),
        pytest.param("test_gaussian_mixture", True, "7", 60, marks=pytest.mark.slow),
        ("test_mixture", False, "42", 4),
    ],
)
def test_the_module_passes(tmp_path: Path, module: str, float32: bool, seed: str, least: int) -> None:
    statuses = run_redirected(module, tmp_path, float32, seed)
    named = {test: status for test, status in statuses.items() if test.partition("[")[0] in PRIVATE}
    others = {test: status for test, status in statuses.items() if test not in named}
    broken = {test: status for test, status in others.items() if status[0] in ("failure", "error")}
    assert broken == {}
    unexplained = {
        test: status
        for test, status in others.items()
        if status[0] == "skipped"
        and not (SKIPPED.search(status[1]) and not (float32 and "float32" in status[1]))
    }
    assert unexplained == {}
    passed = [test for test, status in others.items() if status[0] == "passed" and not VACUOUS.search(test)]
    assert len(passed) >= (min(least, 42) if BEFORE_1_7 else least)


def test_the_tests_left_out_still_reach_into_private_parts() -> None:
    """When scikit-learn rewrites one of them, it is to be run again."""
    source = (Path(sklearn.mixture.__file__).with_name("tests") / "test_gaussian_mixture.py").read_text(
        "utf-8"
    )
    assert "gmm._set_parameters(params)" in source
    assert "gmm._initialize(X, resp)" in source
    assert 'sklearn.mixture._gaussian_mixture, "_estimate_gaussian_parameters", mock' in source
