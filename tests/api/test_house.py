"""The rules of the house, executed: sizes, names, exports, and what an import brings along."""

from __future__ import annotations

import ast
import importlib
import inspect
import operator
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import mixtura

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "mixtura"
MODULES = sorted(SOURCE.rglob("*.py"))
PUBLIC = [
    path
    for path in MODULES
    if not any(part.startswith("_") and part != "__init__.py" for part in path.relative_to(SOURCE).parts)
]

FILE_LINES = 400
FUNCTION_LINES = 40
NATIVE_FILE_LINES = 350
NATIVE_LINES = {
    "pass": 1250,
    "missing": 620,
    "near": 1025,
    "algebra": 1450,
    "trees": 330,
    "stretch": 1150,
    "lloyd": 260,
    "": 770,
}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc"}

COMMANDS = SOURCE / "cli" / "commands"
CLI = SOURCE / "cli"
OPTION = re.compile(r"(?<![\w(-])--[a-z][a-z-]+")
FOLDER_FILES = 12

# What does not yet follow a rule; these lists only become shorter.
NAMED_TWICE = {"scatter.py", "state.py", "validation.py"}
ROOM = {"core": 15, "io": 17, "plot/charts": 13}
TEXTS_WITH_OPTIONS = {
    "io/model_file.py": 1,  # pip's own
    "io/outputs.py": 5,
    "report/view.py": 2,  # a command to copy
    "segments/results/notes.py": 4,
}

# Each optional library, and the one place that may import it; pydantic checks both model files and documents.
OPTIONAL = {
    "adbc_driver_postgresql": "data",
    "adbc_driver_sqlite": "data",
    "altair": "plot",
    "contourpy": "plot",
    "dask": "run",
    "distributed": "run",
    "diptest": "segments",
    "duckdb": "data or io",
    "jinja2": "report",
    "onnx": "io",
    "pandas": "io",
    "polars": "io",
    "pyarrow": "data or io or run or segments/large",
    "pydantic": "io or segments/results",
    "pyreadstat": "io",
    "pyspark": "run",
    "python_calamine": "io",
    "rdata": "io",
    "rich": "cli",
    "skops": "io",
    "typer": "cli",
    "vl_convert": "plot",
    "xlsxwriter": "io",
}


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file, which several rules look at."""
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


# What the engine puts together, and the package that each is from.
ENGINE = {"ArrayBlocks": "data", "get_kernel": "kernels", "get_runner": "run", "limit_blas_threads": "run"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_of(path: Path) -> Iterator[Function]:
    """Walk the statements alone, a tenth of all nodes: expressions define no function."""
    waiting: list[ast.AST] = [tree_of(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Function):
            yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(node, part, ())


def length_of(function: Function) -> int:
    """Lines from `def` to the last, the docstring not counted."""
    length = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None and first.end_lineno is not None:
        length -= first.end_lineno - first.lineno + 1
    return length


@cache
def imports_of(path: Path) -> set[str]:
    """The top-level packages that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@cache
def names_of(path: Path) -> set[str]:
    """The names that a file's code uses, docstrings aside."""
    nodes = list(ast.walk(tree_of(path)))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    names |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return names | {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}


def arguments_of(function: Function) -> set[str]:
    held = function.args
    return {one.arg for one in (*held.posonlyargs, *held.args, *held.kwonlyargs)}


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_rules_have_something_to_look_at() -> None:
    assert len(MODULES) > 15
    assert SOURCE / "exceptions.py" in PUBLIC


def test_files_and_functions_are_short() -> None:
    files = {name_of(path): lines_of(path) for path in MODULES}
    assert {name: lines for name, lines in files.items() if lines > FILE_LINES} == {}
    functions = {
        f"{name_of(path)}: {function.name}": length_of(function)
        for path in MODULES
        for function in functions_of(path)
    }
    assert {name: lines for name, lines in functions.items() if lines > FUNCTION_LINES} == {}


def test_a_long_function_would_be_noticed() -> None:
    body = "\n".join(f"    x = {i}" for i in range(FUNCTION_LINES))
    function = ast.parse(f'def f():\n    """Text."""\n{body}\n').body[0]
    assert isinstance(function, ast.FunctionDef)
    assert length_of(function) == FUNCTION_LINES + 1


@pytest.mark.parametrize("part", sorted(NATIVE_LINES))
def test_the_native_core_is_small(part: str) -> None:
    files = (ROOT / "native" / part).iterdir()
    sources = [path for path in files if path.suffix in {".cpp", ".hpp", ".h", ".cc"}]
    assert 0 < sum(lines_of(path) for path in sources) <= NATIVE_LINES[part]
    assert max(lines_of(path) for path in sources) <= NATIVE_FILE_LINES


def test_there_is_one_short_loop() -> None:
    assert lines_of(SOURCE / "fit" / "loop" / "driver.py") <= 80


@pytest.mark.parametrize("path", sorted((SOURCE / "run").rglob("*.py")), ids=name_of)
def test_runners_are_short_and_know_nothing_of_mixtures(path: Path) -> None:
    assert lines_of(path) <= 120
    tree = tree_of(path)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not {name for name in names if any(word in name.lower() for word in ("mean", "covariance"))}


@pytest.mark.parametrize("name", sorted(ENGINE))
def test_the_engine_alone_puts_rows_kernel_and_runner_together(name: str) -> None:
    naming = {path.relative_to(SOURCE).parts[0] for path in MODULES if name in names_of(path)}
    assert naming <= {"engine.py", ENGINE[name]}
    assert ENGINE[name] in naming


def test_no_function_is_given_kernel_runner_and_blocks() -> None:
    many = [
        f"{name_of(path)}: {function.name}"
        for path in MODULES
        for function in functions_of(path)
        if len({"kernel", "runner", "blocks", "serial"} & arguments_of(function)) > 1
    ]
    assert many == []


@pytest.mark.parametrize("path", sorted((SOURCE / "estimators").glob("*.py")), ids=name_of)
def test_fitting_in_estimators_only_delegates(path: Path) -> None:
    lengths = [length_of(function) for function in functions_of(path) if function.name == "fit"]
    assert all(length <= 25 for length in lengths)


def test_files_are_named_for_what_they_hold() -> None:
    assert [name_of(path) for path in MODULES if path.stem.strip("_") in FORBIDDEN_NAMES] == []


def test_no_two_files_have_one_name() -> None:
    """But `__init__` and `base`, and the files of commands, which carry the command's name."""
    paths = [path for path in MODULES if path.stem not in {"__init__", "base"} and path.parent != COMMANDS]
    count = Counter(path.name for path in paths)
    assert {name for name, times in count.items() if times > 1} <= NAMED_TWICE


def test_large_folders_have_rooms() -> None:
    count = Counter(path.parent.relative_to(SOURCE).as_posix() for path in MODULES if path.stem != "__init__")
    assert {folder: files for folder, files in count.items() if files > ROOM.get(folder, FOLDER_FILES)} == {}


def options_in(path: Path) -> list[str]:
    """The texts of a file, docstrings and all, that name an option of the command line."""
    texts = (node.value for node in ast.walk(tree_of(path)) if is_text(node))
    return [text for text in texts if OPTION.search(text)]


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_only_the_command_line_names_its_options() -> None:
    library = [path for path in MODULES if CLI not in path.parents]
    found = {path.relative_to(SOURCE).as_posix(): options_in(path) for path in library}
    assert {
        name: texts for name, texts in found.items() if len(texts) > TEXTS_WITH_OPTIONS.get(name, 0)
    } == {}


def test_a_text_with_an_option_would_be_noticed(tmp_path: Path) -> None:
    path = tmp_path / "some.py"
    path.write_text('x = "Choose another with --output."\ny = "var(--ink) a -- b"\n', encoding="utf-8")
    assert len(options_in(path)) == 1


def test_public_modules_list_their_names() -> None:
    for path in PUBLIC:
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        module = importlib.import_module(".".join(parts).removesuffix(".__init__"))
        assert module.__doc__, name_of(path)
        if len(tree_of(path).body) == 1:
            continue  # a package that holds nothing but its description
        exported = module.__all__
        assert len(set(exported)) == len(exported), name_of(path)
        assert [name for name in exported if not hasattr(module, name)] == [], name_of(path)


def test_everything_exported_explains_itself() -> None:
    missing = []
    for name in mixtura.__all__:
        value = getattr(mixtura, name)
        members = vars(value) if inspect.isclass(value) else {}
        public = [
            f"{name}.{member}"
            for member, held in members.items()
            # The fields of a dataclass are explained by its own docstring.
            if not member.startswith("_") and not inspect.ismemberdescriptor(held)
        ]
        missing += [
            path for path in [name, *public] if not inspect.getdoc(operator.attrgetter(path)(mixtura))
        ]
    assert missing == []


def layout_comparisons(tree: ast.AST) -> list[int]:
    """Lines on which something is compared with, or matched against, a layout of the kernels."""

    def is_layout(node: ast.expr) -> bool:
        names = [part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)]
        names += [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]
        return bool({"Layout", "layout", "layouts"} & set(names))

    compared = [
        (node.lineno, [node.left, *node.comparators])
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
    ]
    matched = [
        (node.subject.lineno, [node.subject]) for node in ast.walk(tree) if isinstance(node, ast.Match)
    ]
    return [line for line, sides in (*compared, *matched) if any(map(is_layout, sides))]


def test_no_layout_is_compared_outside_kernels() -> None:
    """`Moments` are objects that know what can be done with them."""
    outside = [path for path in MODULES if "kernels" not in path.parts]
    naming = [path for path in outside if "layout" in path.read_text(encoding="utf-8").lower()]
    compared = {name_of(path): layout_comparisons(tree_of(path)) for path in naming}
    assert {name: lines for name, lines in compared.items() if lines} == {}


def test_a_compared_layout_would_be_noticed() -> None:
    code = "a = statistics.layout is Layout.DENSE\nb = x == Layout.SHARED\nmatch components.layout:\n    case _: pass\n"
    assert layout_comparisons(ast.parse(code)) == [1, 2, 3]
    assert layout_comparisons(ast.parse("kernel(moments.layout) if moments is DENSE else 0")) == []


@pytest.mark.parametrize("library", sorted(OPTIONAL))
def test_optional_libraries_are_imported_in_one_place(library: str) -> None:
    allowed = tuple(f"{place}/" for place in OPTIONAL[library].split(" or "))
    where = [path.relative_to(SOURCE).as_posix() for path in MODULES if library in imports_of(path)]
    assert [path for path in where if not path.startswith(allowed)] == []


@pytest.mark.parametrize("path", sorted((SOURCE / "kernels").rglob("*.py")), ids=name_of)
def test_kernels_need_numpy_and_scipy_alone(path: Path) -> None:
    third_party = imports_of(path) - set(sys.stdlib_module_names)
    assert third_party <= {"numpy", "scipy", "mixtura"}


def test_importing_the_package_loads_no_optional_library() -> None:
    loaded = set(run_python("import sys, mixtura; print(*sys.modules)").split())
    assert "mixtura" in loaded
    assert loaded & (set(OPTIONAL) - {"pandas", "pyarrow", "polars"} | {"rich", "matplotlib"}) == set()


def test_help_loads_neither_scipy_nor_scikit_learn() -> None:
    printed = run_python(
        "import sys\n"
        "from mixtura.cli import main\n"
        "sys.argv = ['mixtura', '--help']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "print('LOADED', *sys.modules)\n"
    )
    text, _, loaded = printed.rpartition("LOADED")
    assert "segment" in text
    assert set(loaded.split()) & {"scipy", "sklearn", "altair", "duckdb", "pyarrow"} == set()


def test_segmenting_loads_what_it_needs_when_it_needs_it() -> None:
    """Each of these takes longer to load than a small table to segment."""
    printed = run_python("import sys, mixtura.report, mixtura.segments\nprint(*sys.modules)")
    slow = {
        "joblib",
        "pandas",
        "polars",
        "scipy.cluster",
        "scipy.optimize",
        "scipy.stats",
        "sklearn",
        "sqlite3",
    }
    assert set(printed.split()) & slow == set()
