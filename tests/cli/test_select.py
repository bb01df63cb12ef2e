"""`mixtura select`: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.mixture import GaussianMixture

from mixtura.io import SELECTION_FILES
from mixtura.select import CRITERIA, FIT_CRITERIA, search
from pictures import near, pixels


@pytest.fixture
def results(kept, customers) -> Path:
    kept("select", customers.name, "--components", "1-4")
    return Path("customers-selection")


def test_it_writes_two_files_and_nothing_else(results, workplace) -> None:
    assert sorted(path.name for path in results.iterdir()) == sorted(SELECTION_FILES)
    assert sorted(path.name for path in workplace.iterdir()) == ["customers-selection", "customers.csv"]


def test_the_table_ranks_every_model_in_the_users_units(results, rows) -> None:
    table = pl.read_csv(results / "selection.csv")
    assert table["rank"].to_list() == list(range(1, 17))
    assert table["bic"].is_sorted()
    assert (table["covariance_type"][0], table["n_components"][0]) == ("tied", 3)
    assert set(FIT_CRITERIA) < set(table.columns)
    assert "cv" not in table.columns
    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    for row in table.head(2).iter_rows(named=True):
        reference = GaussianMixture(
            row["n_components"],
            covariance_type=row["covariance_type"],
            tol=1e-9,
            max_iter=5000,
            random_state=0,
        ).fit(scaled)
        total = 300 * (reference.score(scaled) - np.log(rows.std(axis=0)).sum())
        assert row["log_likelihood"] == pytest.approx(total, abs=0.02)
        p = reference._n_parameters()
        assert row["bic"] == pytest.approx(p * math.log(300) - 2 * row["log_likelihood"], rel=1e-12)
        assert row["outcome"] == "converged"


def test_it_prints_the_ranking(run, customers) -> None:
    printed = run("select", customers, "--components", "1-4").output
    for text in (
        "300 rows, 5 columns",
        "income, spending",
        "country (text, such as 'NL')",
        "tied, 3 components: the smallest BIC (4,799.4)",
        "covariances   components",
        "converged",
        "and 6 more in selection.csv",
        "16 models tried",
        "customers-selection",
    ):
        assert text in printed, text
    assert "Note" not in printed
    best = [
        line.split() for line in printed.splitlines() if line.strip().startswith(("1 ", "2 ", "10 ", "11 "))
    ]
    assert [line[:3] for line in best[:2]] == [["1", "tied", "3"], ["2", "diag", "3"]]
    assert len(best) == 3
    gap = float(best[1][3].replace(",", "")) - float(best[0][3].replace(",", ""))
    assert float(best[1][4]) == pytest.approx(gap, abs=0.11)


def test_the_edge_is_told(run, customers) -> None:
    printed = " ".join(run("select", customers, "--components", "1-2").output.split())
    assert "Note: The best lies on the edge of the search: 2 components, the most that were tried" in printed


@pytest.fixture
def indebted(workplace) -> Path:
    """Two groups; three in ten of all customers owe exactly 12.5."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(300, 3)) + 4 * rng.integers(2, size=(300, 1))
    values = values * [1, 100, 1000] + [40, 2000, 9000]
    values[rng.permutation(300)[:90], 2] = 12.5
    path = workplace / "indebted.csv"
    pl.DataFrame(values, schema=["age", "income", "debt"]).write_csv(path)
    return path


WHY = "component {} has no width in column 'debt': its 90 rows all have the value 12.5"


def test_degenerate_models_are_passed_over_and_the_column_is_named(run, indebted) -> None:
    done = run("select", indebted, "--components", "1-3", "--kind", "continuous")
    assert done.exit_code == 0, done.output
    table = pl.read_csv("indebted-selection/selection.csv")
    degenerate = table.filter(pl.col("degenerate").is_not_null())
    best = table.filter(pl.col("degenerate").is_null()).row(0, named=True)
    passed = degenerate.filter(pl.col("bic") < best["bic"]).height
    assert passed >= 1
    for why in degenerate["degenerate"]:
        assert any(WHY.format(component) in why for component in (1, 2, 3)), why
    printed = " ".join(done.output.split())
    models = "1 model" if passed == 1 else f"{passed} models"
    assert f"Note: Excluded as degenerate: {models} with a smaller criterion." in printed
    assert degenerate["degenerate"][0] in printed
    chosen = f"{best['covariance_type']}, {best['n_components']} components: the smallest BIC"
    assert chosen in printed


def test_segments_are_told_with_the_values_that_the_user_has(run, indebted) -> None:
    asked = ("--components", "1-3", "--resamples", "0", "--kind", "continuous")
    done = run("segment", indebted, *asked, "--transform", "debt=yeo-johnson")
    assert done.exit_code == 0, done.output
    printed = " ".join(done.output.split())
    assert "Excluded, with a smaller criterion" in printed
    assert "in column 'debt': its 90 rows all have the value 12.5" in printed


def test_a_point_mass_that_is_modeled_makes_no_model_degenerate(run, indebted) -> None:
    done = run("select", indebted, "--components", "1-3", "--overwrite")
    assert done.exit_code == 0, done.output
    assert "an amount with point masses" in " ".join(done.output.split())
    table = pl.read_csv("indebted-selection/selection.csv")
    assert table["degenerate"].drop_nulls().len() == 0


def test_the_picture_has_a_curve_per_covariance_type(results) -> None:
    picture = pixels((results / "selection.png").read_bytes())
    assert picture.shape[1] > 1400
    for color in ("#0072B2", "#E69F00", "#009E73", "#CC79A7"):
        assert near(picture, color, 12) > 500


def test_options_reach_the_library(run, customers) -> None:
    options = ("--columns", "income", "--components", "2", "--covariance-type", "diag", "--seed", "5")
    more = ("--criterion", "icl", "--n-init", "2", "--output", "elsewhere", "--quiet")
    done = run("select", customers, *options, *more)
    assert (done.exit_code, done.output) == (0, "")
    table = pl.read_csv("elsewhere/selection.csv")
    assert table.select("covariance_type", "n_components").rows() == [("diag", 2)]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("criterion", CRITERIA)
def test_every_criterion_ranks_here(run, customers, criterion) -> None:
    done = run("select", customers, "--components", "1-3", "--criterion", criterion)
    assert done.exit_code == 0, done.output
    assert f"the smallest {criterion.upper()}" in " ".join(done.output.split())
    values = pl.read_csv("customers-selection/selection.csv")[criterion]
    assert values[0] == values.min()


@pytest.mark.parametrize("criterion", ["icl", "cv"])
def test_other_criteria_choose_segments(run, customers, criterion) -> None:
    done = run("segment", customers, "--components", "1-3", "--criterion", criterion)
    assert done.exit_code == 0, done.output
    assert f"the smallest {criterion.upper()}" in " ".join(done.output.split())


def test_rows_held_out_rank_and_a_standard_error_chooses(run, customers) -> None:
    options = ("--components", "2-4", "--covariance-type", "full,tied,diag")
    done = run("select", customers, *options, "--criterion", "cv")
    assert done.exit_code == 0, done.output
    table = pl.read_csv("customers-selection/selection.csv")
    assert table["cv"].is_sorted()
    assert table["cv_standard_error"].min() > 0
    within = table.filter(pl.col("cv") <= pl.col("cv").first() + pl.col("cv_standard_error").first())
    best = within.sort("n_parameters", "cv").row(0, named=True)
    assert best["rank"] > 1
    printed = " ".join(done.output.split())
    assert (
        f"{best['covariance_type']}, {best['n_components']} components: the fewest parameters within one standard "
        f"error of the smallest CV ({table['cv'][0]:,.1f})"
    ) in printed
    assert f"Note: The smallest CV is that of {table['covariance_type'][0]} with" in printed
    assert (
        f"{best['covariance_type']} with {best['n_components']} is chosen because it has the fewest"
        in printed
    )
    first = next(line.split() for line in done.output.splitlines() if line.strip().startswith("1 "))
    assert first[3:5] == [f"{table['cv'][0]:,.1f}", f"{table['cv_standard_error'][0]:,.1f}"]


def test_the_chosen_one_is_shown_however_far_down_it_ranks(run, customers, monkeypatch) -> None:
    monkeypatch.setattr("mixtura.cli.printing.print_selection._SHOWN", 1)
    options = ("--components", "2-4", "--covariance-type", "full,tied,diag")
    printed = run("select", customers, *options, "--criterion", "cv").output
    table = pl.read_csv("customers-selection/selection.csv")
    rows = [line.split() for line in printed.splitlines() if "converged" in line]
    within = table.filter(pl.col("cv") <= pl.col("cv").first() + pl.col("cv_standard_error").first())
    assert [int(row[0]) for row in rows] == [1, within.sort("n_parameters", "cv")["rank"][0]]
    assert "and 7 more in selection.csv" in printed


def test_the_help_lists_the_criteria(run) -> None:
    for command in ("select", "segment"):
        words = run(command, "--help").output.replace(",", " ").replace(".", " ").split()
        assert set(CRITERIA) <= set(words)


def test_rows_with_missing_values(run, workplace, rows) -> None:
    lines = [f"{income!r},{spending!r}" for income, spending in rows.tolist()]
    lines[7] = ",50"
    (workplace / "holes.csv").write_text("income,spending\n" + "\n".join(lines) + "\n")
    used = run("select", "holes.csv", "--components", "3")
    assert used.exit_code == 0, used.output
    assert "1 value is missing, in income (1, < 1 %)" in used.output
    assert "--drop-missing" in used.output
    done = run("select", "holes.csv", "--components", "3", "--drop-missing", "--overwrite")
    assert done.exit_code == 0, done.output
    assert "1 row left out: a column used has no value there, and --drop-missing leaves such rows out." in (
        " ".join(done.output.split())
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--n-folds", "5"), "--n-folds 5 was given with --criterion bic, which holds out no rows"),
        (("--criterion", "cv", "--n-folds", "1"), "--n-folds must be a whole number of at least 2; got 1"),
        (
            ("--criterion", "cv", "--n-folds", "301"),
            "--n-folds must be at most the number of rows, 300; got 301",
        ),
        (
            ("--criterion", "cv", "--components", "271"),
            "got 270 rows of positive weight outside the largest fold for 271 components",
        ),
        (
            ("--criterion", "cic"),
            "one of 'bic', 'aic', 'aicc', 'caic', 'mmdl', 'icl', 'nec', 'cv'; got 'cic'",
        ),
        (("--covariance-type", "round"), "'round'"),
        (("--components", "301"), "301"),
        (("--components", "0"), "at least one component"),
        (("--columns", "incme"), "Did you mean 'income'?"),
        (("--n-init", "0"), "--n-init must be a whole number of at least 1; got 0"),
        (("--prior", "flat"), "--prior must be 'floor', 'conjugate', or a number of at least 0; got 'flat'"),
        (("--output", "nowhere/results"), "there is no directory"),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_written(refused, customers, options, said) -> None:
    assert said in refused("select", customers, *options)


def test_results_are_not_overwritten_unasked(run, customers, results) -> None:
    before = (results / "selection.csv").read_bytes()
    done = run("select", customers, "--components", "2")
    assert done.exit_code == 2
    assert "exists already" in done.stderr
    assert (results / "selection.csv").read_bytes() == before
    assert run("select", customers, "--components", "2", "--overwrite").exit_code == 0
    assert len(pl.read_csv(results / "selection.csv")) == 4
    (results / "notes.txt").write_text("mine")
    assert run("select", customers, "--components", "2", "--overwrite").exit_code == 2
    assert (results / "notes.txt").read_text() == "mine"


def test_the_prior_reaches_the_search(run, customers, rows) -> None:
    """The likelihoods are those of the library's search with mclust's prior, on standardized rows."""
    options = ("--covariance-type", "full,diag", "--components", "2-4", "--prior", "conjugate")
    assert run("select", customers, *options, "--columns", "income,spending").exit_code == 0
    table = pl.read_csv("customers-selection/selection.csv")
    scale = rows.std(axis=0)
    scaled = np.ascontiguousarray((rows - rows.mean(axis=0)) / scale)
    likelihoods = {}
    for prior in ("floor", "conjugate"):
        found = search(scaled, components=[2, 3, 4], covariance_types=["full", "diag"], prior=prior)
        likelihoods[prior] = [one.log_likelihood - 300 * np.log(scale).sum() for one in found.ranking]
    assert table["log_likelihood"].to_list() == pytest.approx(likelihoods["conjugate"], abs=1e-6)
    assert max(np.subtract(likelihoods["floor"], likelihoods["conjugate"])) > 0.1


def test_the_prior_may_be_a_number(run, customers, rows) -> None:
    options = ("--covariance-type", "diag", "--components", "2", "--columns", "income,spending")
    assert run("select", customers, *options, "--prior", "0.05").exit_code == 0
    scale = rows.std(axis=0)
    scaled = np.ascontiguousarray((rows - rows.mean(axis=0)) / scale)
    best = search(scaled, components=[2], covariance_types=["diag"], prior=0.05).best
    told = pl.read_csv("customers-selection/selection.csv")["log_likelihood"][0]
    assert told == pytest.approx(best.log_likelihood - 300 * np.log(scale).sum(), abs=1e-6)
    assert run("select", customers, *options, "--prior", "-1").exit_code == 2


def test_robust_models_are_tried_and_the_criterion_says_which(run, workplace) -> None:
    rng = np.random.default_rng(0)
    groups = rng.normal(size=(300, 2)) + 8.0 * rng.integers(2, size=(300, 1))
    table = np.vstack([groups, rng.uniform(-40.0, 60.0, size=(40, 2))])
    pl.DataFrame({"height": table[:, 0], "width": table[:, 1]}).write_csv("outliers.csv")
    asked = ("select", "outliers.csv", "--components", "2", "--covariance-type", "spherical")
    printed = " ".join(run(*asked, "--robust", "auto").output.split())
    assert "BIC chose a noise component (Gaussian components alone" in printed
    best = pl.read_csv(workplace / "outliers-selection" / "selection.csv")["bic"][0]
    assert f"a noise component {best:,.1f}" in printed


def test_an_unknown_kind_of_robustness_is_refused(refused, customers) -> None:
    said = refused("select", customers, "--robust", "both")
    assert "--robust must be one of 'none', 'noise', 't', 'auto'; got 'both'" in " ".join(said.split())


def test_models_with_a_small_component_are_named(run, refused, customers) -> None:
    done = run("select", customers, "--components", "1-3", "--covariance-type", "tied", "--min-share", "0.33")
    printed = " ".join(done.output.split())
    assert "tied, 2 components" in printed
    assert (
        "Excluded, with a smaller criterion and a component below 33.0 % of the rows: 1 model (tied, 3: 32."
        in printed
    )
    assert "--min-share must be" in refused("select", customers, "--min-share", "0.7", "--overwrite")
