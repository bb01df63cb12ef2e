"""What the package offers, and what importing it brings along."""

from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import mixtura

PUBLIC = {
    "DatabaseTable",
    "GaussianMixture",
    "GaussianMixtureIC",
    "GaussianMixtureOutlierDetector",
    "KMeans",
    "Mixture",
    "Segmentation",
    "Segmenter",
    "__version__",
    "build_info",
    "datasets",
    "exceptions",
    "get_threads",
    "impute",
    "multiple_imputations",
    "select_columns",
    "set_threads",
}


@cache
def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_the_public_names() -> None:
    assert set(mixtura.__all__) == PUBLIC
    assert set(dir(mixtura)) == PUBLIC
    for name in PUBLIC:
        assert getattr(mixtura, name) is not None
    assert mixtura.__version__ == importlib.metadata.version("mixtura")


def test_an_unknown_name_is_the_usual_error() -> None:
    with pytest.raises(AttributeError, match="module 'mixtura' has no attribute 'GausianMixture'"):
        mixtura.GausianMixture  # noqa: B018


def test_importing_loads_nothing_until_it_is_used() -> None:
    assert not modules_after("import mixtura") & {"sklearn", "scipy", "numpy", "narwhals", "threadpoolctl"}


def test_the_estimators_load_no_optional_library() -> None:
    used = "import mixtura\nmixtura.GaussianMixture(2).fit([[0.0], [1.0], [5.0]])"
    own = {name for name in modules_after(used) if name.partition(".")[0] == "mixtura"}
    assert "mixtura.fit.loop.driver" in own
    assert not own & {"mixtura.io", "mixtura.cli", "mixtura.plot", "mixtura.segments", "mixtura.datasets"}
    optional = {
        "typer",
        "rich",
        "duckdb",
        "pyarrow",
        "pydantic",
        "altair",
        "vl_convert",
        "openpyxl",
        "polars",
    }
    loaded = modules_after(used) & optional
    # What scikit-learn loads of its own accord, where it is installed, is not ours.
    assert not loaded or not loaded - modules_after("import sklearn.mixture")


def test_an_estimator_loads_little_but_what_its_fit_needs() -> None:
    """Half of what a module costs is its dataclasses, each of which Python compiles when it is loaded."""
    own = {
        name
        for name in modules_after("import mixtura\nmixtura.GaussianMixture")
        if name.startswith("mixtura.")
    }
    assert "mixtura.estimators.gaussian_mixture" in own
    assert len(own) <= 150
    elsewhere = ("expressions", "segments", "anomaly", "select.model_search.fitter", "select.inference")
    assert not {name for name in own for one in elsewhere if name.startswith(f"mixtura.{one}")}
    assert not own & {
        "mixtura.core.queries.moment_sums",
        "mixtura.data.database_blocks",
        "mixtura.data.packing",
        "mixtura.data.sources.database_table",
        "mixtura.estimators.gaussian_mixture_ic",
        "mixtura.fit.init.sample",
        "mixtura.fit.init.small_em",
        "mixtura.fit.steps.incremental",
    }


def test_searching_loads_no_scipy() -> None:
    """It takes longer to load than many a search: the compiled algebra does what small matrices need."""
    if mixtura.build_info()["algebra"] != "native":
        pytest.skip("the algebra in NumPy needs LAPACK")
    used = (
        "import numpy\n"
        "from mixtura.select import search\n"
        "rows = numpy.random.default_rng(0).normal(size=(90, 3))\n"
        "rows[:30] += 9\nrows[30:60] -= 9\nrows[:, 2] = rows[:, 0] + 1e-9 * rows[:, 1]\n"
        "search(rows, components=[1, 2, 3], covariance_types='all').best"
    )
    assert not modules_after(used) & {"scipy", "sklearn", "joblib"}


def test_segmenting_loads_no_solvers_and_not_scikit_learn() -> None:
    """They take longer to load than small tables take to segment."""
    used = (
        "import numpy, pyarrow\n"
        "from mixtura.segments import segment_table\n"
        "x, y = numpy.random.default_rng(0).normal(size=(2, 90))\n"
        "x[:30] += 20\nx[30:60] -= 20\n"
        "segment_table(pyarrow.table({'x': x, 'y': y}), components=[2, 3]).outline"
    )
    assert not modules_after(used) & {
        "sklearn",
        "scipy.optimize",
        "scipy.cluster",
        "duckdb",
        "altair",
        "joblib",
    }


def test_the_whole_document_loads_neither_scikit_learn_nor_what_later_customers_need() -> None:
    """One cloud: its dip test finds a single mode, and dense clusters are looked for, too."""
    used = (
        "import numpy, pyarrow\n"
        "from mixtura.segments import Effort, segment_table\n"
        "x, y = numpy.random.default_rng(0).normal(size=(2, 90))\n"
        "found = segment_table(pyarrow.table({'x': x, 'y': y}), components=[2])\n"
        "assert 'HDBSCAN' in found.with_effort(Effort(resamples=2, draws=100)).document.verdict.clusters_explanation"
    )
    assert not modules_after(used) & {
        "sklearn",
        "scipy.stats",
        "mixtura.drift.verdict",
        "mixtura.segments.typing",
        "mixtura.segments.change",
        "mixtura.segments.updating.update_model",
        "mixtura.select.inference.bootstrap_lrt",
    }


def lazy_packages() -> list[Path]:
    source = Path(mixtura.__file__).parent
    found = (
        path for path in source.rglob("__init__.py") if "lazy_names(" in path.read_text(encoding="utf-8")
    )
    return sorted(found)


@pytest.mark.parametrize("path", lazy_packages(), ids=lambda path: path.parent.name)
def test_names_that_are_imported_later_are_those_that_type_checkers_see(path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = ".".join(path.parent.relative_to(Path(mixtura.__file__).parents[1]).parts)
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in checked.body if isinstance(node, ast.ImportFrom) and node.module != package]
    seen = {(node.module, name.name) for node in imports for name in node.names}
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    call = next(node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "lazy_names")
    homes = ast.literal_eval(call.args[1])
    later = {(f"{package}.{home}", name) for home, names in homes.items() for name in names.split()}
    assert later == seen
    # Importing a module would put it in the place of what has its name.
    modules = {one.stem for one in path.parent.iterdir()}
    assert not {name for _, name in later} & modules


@pytest.mark.parametrize("path", lazy_packages(), ids=lambda path: path.parent.name)
def test_type_checkers_do_not_see_what_imports_names_later(path) -> None:
    """A module with ``__getattr__`` has every name for a type checker (PEP 484), also a misspelled one."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = [
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "not TYPE_CHECKING"
    ]

    def defines(nodes: list[ast.stmt]) -> bool:
        functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
        targets = (
            name for node in nodes if isinstance(node, ast.Assign) for name in ast.walk(node.targets[0])
        )
        return "__getattr__" in functions | {name.id for name in targets if isinstance(name, ast.Name)}

    assert defines(hidden[0].body)
    assert not defines(tree.body)
