"""`mixtura advise`, as a user would run it."""

from __future__ import annotations

import json
import re
import shlex

import numpy as np
import pytest
import sklearn.cluster
import sklearn.preprocessing
from sklearn.metrics import adjusted_rand_score

from made_tables import make_table, rings


@pytest.fixture
def odd(workplace):
    """A table with a bit of everything, and markup in the name of a column."""
    rng = np.random.default_rng(0)
    rows = np.column_stack([np.exp(2 * rng.normal(size=120)), rng.normal(size=(120, 2))])
    lines = ["money,[bold]b,c", *(",".join(map(repr, row)) for row in rows.tolist())]
    lines[9] = "3.5,,1.0"
    path = workplace / "odd table.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_verdict_comes_first(run, customers, workplace) -> None:
    done = run("advise", customers)
    assert done.exit_code == 0, done.output
    lines = [line.strip() for line in done.output.splitlines() if line.strip()]
    assert lines[0] == "customers.csv: 300 rows, 5 columns"
    assert "A Gaussian mixture suits" in lines[4:8]
    for text in (
        "The dip test finds more than one mode",
        "What to do",
        "Worth knowing",
        "For information",
        "What the rows support",
        "constant: shop: the same value everywhere",
        "300 complete rows",
    ):
        assert text in done.output, text
    order = [
        done.output.index(text)
        for text in ("What to do", "Worth knowing", "For information", "What the rows")
    ]
    assert order == sorted(order)
    assert [path.name for path in workplace.iterdir()] == ["customers.csv"]


def commands_in(printed: str) -> list[list[str]]:
    return [shlex.split(line)[1:] for line in printed.splitlines() if line.startswith("    mixtura ")]


def test_what_changes_the_recommendation_comes_with_commands(run, odd) -> None:
    printed = run("advise", "odd table.csv").output
    assert "Changes the recommendation" in printed
    assert "skew: Skewness of money" in printed
    assert "mixtura segment 'odd table.csv' --transform auto" in printed
    assert "[bold]b 1" in printed
    assert "119 complete rows (1 left out). As log(1 + x): money." in printed


@pytest.mark.parametrize(
    "width", ["40", *(pytest.param(one, marks=pytest.mark.slow) for one in ("80", "200"))]
)
def test_every_printed_command_runs_as_printed(run, kept, odd, workplace, monkeypatch, width) -> None:
    """A table with missing values, skew, a long name and markup, on terminals of any width (case 16).

    What is printed alike on several widths is run once.
    """
    monkeypatch.setenv("COLUMNS", width)
    path = odd.rename(workplace / "a table with quite a long name, & more of 'it' for $HOME.csv")
    commands = commands_in(run("advise", path.name).output)
    assert len(commands) >= 2
    for command in dict.fromkeys(tuple(words) for words in commands):
        kept(*command, "--components", "2", "--resamples", "0", "--overwrite", "--quiet")


def test_shapes_and_samples_are_told(run, workplace) -> None:
    rows = make_table(rings, 2400, 0)
    (workplace / "rings.csv").write_text("x,y\n" + "\n".join(f"{x!r},{y!r}" for x, y in rows.tolist()))
    printed = " ".join(run("advise", "rings.csv", "--seed", "3").output.split())
    assert "Clusters are bent or hollow: HDBSCAN" in printed
    call = re.search(r"sklearn\.cluster\.HDBSCAN.*?(?= after import (.*?);)", printed)
    assert call is not None
    assert "min_cluster_size=120," in call[0]
    assert call[1] == "sklearn.cluster, sklearn.preprocessing"
    labels = eval(call[0], {"sklearn": sklearn, "rows": rows})
    assert adjusted_rand_score(np.linalg.norm(rows, axis=1) > 1.75, labels) == 1
    assert "on 2,000 of them, drawn with seed 3" in printed


def test_json_is_the_same_on_the_terminal_and_in_the_file(run, customers, workplace) -> None:
    done = run("advise", customers, "--json", "--output", "advice.json", "--columns", "income,spending")
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert printed == json.loads((workplace / "advice.json").read_text(encoding="utf-8"))
    assert printed["verdict"]["method"] == "gmm"
    assert printed["table"]["columns"] == ["income", "spending"]
    assert "--columns income,spending" in printed["verdict"]["command"]
    refused = run("advise", customers, "--output", "advice.json")
    assert refused.exit_code == 2
    assert "exists already" in refused.stderr
    again = run("advise", customers, "--output", "advice.json", "--overwrite", "--id", "id")
    assert again.exit_code == 0
    assert again.output.splitlines()[-1] == "Written: advice.json"
    quiet = run("advise", customers, "--json", "--quiet")
    assert (quiet.exit_code, quiet.output) == (0, "")


def test_few_rows(run, workplace) -> None:
    (workplace / "few.csv").write_text("a,b\n1.5,2\n2.5,4\n3.5,1\n")
    done = run("advise", "few.csv")
    assert done.exit_code == 0, done.output
    assert "Too few rows to find clusters in" in done.output
    assert [line.split() for line in done.output.splitlines() if "full" in line][-1] == ["full", "29", "none"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--columns", "incme"), "Did you mean 'income'?"),
        (("--columns", "country"), "not numeric"),
        (("--id", "nobody"), "--id names 'nobody'"),
        (("--seed", "-1"), "--seed must be a whole number from 0 to 4294967295; got -1"),
        (("--output", "nowhere/advice.json"), "there is no directory"),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_written(refused, customers, options, said) -> None:
    assert said in refused("advise", customers, *options)


def test_a_table_that_is_not_there(refused) -> None:
    assert "missing.csv" in refused("advise", "missing.csv")
