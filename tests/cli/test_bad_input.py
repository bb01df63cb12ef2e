"""Bad input: a message that helps, exit code 2, and nothing written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import snapshot
from mixtura.datasets import make_customers
from mixtura.select import Candidate

GOOD = "income,spending\n" + "\n".join(f"{a!r},{b!r}" for a, b in make_customers().tolist()) + "\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", ["is empty", "Export it again"]),
        ("blank.csv", b"\n\n\n", ["only empty lines"]),
        ("header.csv", b"income,spending\n", ["header (income, spending) and no rows"]),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", ["Line: 3", "Expected Number of Columns: 2 Found: 3"]),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00", ["binary file, not a table"]),
        ("latin.csv", b"a,b\n1,caf\xe9\n", ["not UTF-8: byte 0xE9 in line 2", "iconv -f LATIN1"]),
        ("wide.csv", "a,b\n1,2\n".encode("utf-16"), ["not UTF-8: it is UTF-16", "iconv -f UTF-16"]),
        ("broken.parquet", b"PAR1 and no more", ["is not a table that can be read"]),
        ("broken.xlsx", b"no workbook", ["not an Excel workbook"]),
        ("broken.jsonl", b'{"a": 1}\n{"a":\n', ["is not a table that can be read"]),
        ("list.json", b"[1, 2, 3]", ["other than objects"]),
        ("twice.csv", b"a,b,a\n1,2,3\n4,5,6\n", ["2 columns named 'a' (columns 1, 3)", "Rename"]),
        ("words.csv", b"a,b\nx,y\nz,w\n", ["No column is left to make segments from", "text, such as 'x'",
            "Categories need two to thirty levels that repeat", "with --columns"]),
        ("ids.csv", b"id\n1\n2\n3\n", ["No numeric column is left", "an id"]),
        ("equal.csv", b"a,b\n1,2\n1,2\n1,2\n", ["the same value in every row", "different numbers"]),
        ("one.csv", b"a,b\n1,2\n", ["at least 2 are required"]),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_used(refused, workplace, name, content, said) -> None:
    (workplace / name).write_bytes(content)
    message = refused("segment", name)
    for text in said:
        assert text in message


def test_a_missing_file_suggests_the_closest(refused, customers) -> None:
    message = refused("segment", "costumers.csv")
    assert "There is no file 'costumers.csv'" in message
    assert "Did you mean 'customers.csv'?" in message
    Path(".customer.csv.part").write_text("x\n1\n")
    assert "Did you mean 'customers.csv'?" in refused("segment", "customer.csv")


def test_a_directory_is_no_table(refused, workplace) -> None:
    (workplace / "folder.csv").mkdir()
    assert "holds no table" in refused("segment", "folder.csv")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--columns", "incme"), ["no such column", "Did you mean 'income'?"]),
        (("--columns", "income,income"), ["twice"]),
        (("--columns", "income,country"), ["'country' is not numeric", "'NL'"]),
        (("--columns", "income,shop"), ["'shop' has the same value in every row"]),
        (("--columns", "shop"), ["rows are equal", "'shop'"]),
        (("--columns", ""), ["names no column"]),
        (("--id", "idd"), ["--id names 'idd'", "Did you mean 'id'?"]),
        (("--components", "0"), ["at least one component"]),
        (("--components", "9-1"), ["runs backwards"]),
        (("--components", "three"), ["not a number or a range"]),
        (("--components", "1,,2"), ["not a number or a range"]),
        (("--components", "-3"), ["not a number or a range"]),
        (("--components", "1-99999999999"), ["too many"]),
        (
            ("--components", "301"),
            ["--components must be at most the number of rows that are used, 300; got 301"],
        ),
        (("--covariance-type", "round"), ["'round'", "full, tied, diag, spherical"]),
        (("--criterion", "cic"), ["'cic'", "'bic', 'aic', 'aicc', 'caic', 'mmdl', 'icl', 'nec', 'cv'"]),
        (("--n-init", "0"), ["--n-init must be a whole number of at least 1; got 0"]),
        (("--anomaly-percentile", "100"), ["below 100"]),
        (("--anomaly-percentile", "nan"), ["--anomaly-percentile must be at least 0 and below 100; got nan"]),
        (("--seed", "-1"), ["seed"]),
        (("--output", "nowhere/results"), ["there is no directory", "nowhere"]),
        (("--output", "customers.csv/results"), ["there is no directory"]),
    ],
)
def test_options_that_cannot_be_used(refused, customers, options, said) -> None:
    message = refused("segment", customers, *options)
    for text in said:
        assert text in message


def test_a_directory_that_exists_is_not_overwritten_unasked(run, kept, refused, customers) -> None:
    kept("segment", customers.name, "--components", "2")
    message = refused("segment", customers, "--components", "3")
    assert "exists already" in message
    assert "--overwrite" in message
    done = run("segment", customers, "--components", "3", "--overwrite")
    assert done.exit_code == 0, done.output
    assert len(json.loads(Path("customers-segments/summary.json").read_text())["segments"]) == 3


def test_a_directory_with_other_files_is_never_overwritten(refused, customers, workplace) -> None:
    (workplace / "mine").mkdir()
    (workplace / "mine" / "thesis.txt").write_text("years of work")
    message = refused("segment", customers, "--output", "mine", "--overwrite")
    assert "thesis.txt" in message
    assert "customers.csv" in refused("segment", customers, "--output", ".", "--overwrite")


def test_a_place_that_cannot_be_written(refused, customers, workplace, monkeypatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("mixtura.io.outputs.tempfile.mkdtemp", refuse)
    assert "cannot be written (Permission denied)" in refused("segment", customers)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_directory_without_permission(refused, customers, workplace) -> None:
    (workplace / "locked").mkdir(mode=0o555)
    assert "cannot be written (Permission denied)" in refused("segment", customers, "--output", "locked/out")


def test_a_failure_while_writing_leaves_nothing(refused, customers, monkeypatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.ParquetWriter.write_table", fail)
    assert "No space left on device" in refused("segment", customers, "--components", "2")


def test_an_interruption_leaves_nothing(run, customers, workplace, monkeypatch) -> None:
    def interrupt(*_arguments: object, **_options: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr("mixtura.plot.charts.segments.draw_chart", interrupt)
    before = snapshot(workplace)
    done = run("segment", customers, "--components", "2")
    assert done.exit_code == 130
    assert "Interrupted" in done.stderr
    assert snapshot(workplace) == before


def test_an_interrupted_search_gives_the_best_so_far_and_goes_on(
    run, customers, workplace, monkeypatch
) -> None:
    from mixtura.select.model_search.grid import Fitter

    fit_all = Fitter.fit_all

    def interrupted(fitter: Fitter) -> Iterator[Candidate]:
        for number, candidate in enumerate(fit_all(fitter)):
            if number == 3:
                raise KeyboardInterrupt
            yield candidate

    asked = ("segment", customers, "--components", "1-3", "--covariance-type", "full,tied")
    with monkeypatch.context() as patched:
        patched.setattr(Fitter, "fit_all", interrupted)
        done = run(*asked, "--checkpoint", "run.checkpoint", "--output", "first")
    assert done.exit_code == 130
    assert "Unfinished: the search was interrupted after 3 models" in done.stdout
    assert "The same command with --overwrite goes on." in done.stderr
    assert (workplace / "run.checkpoint").exists()
    assert (workplace / "first" / "model.json").exists()
    again = run(*asked, "--checkpoint", "run.checkpoint", "--output", "first", "--overwrite")
    assert again.exit_code == 0
    assert "Unfinished" not in again.stdout
    assert not (workplace / "run.checkpoint").exists()
    assert run(*asked, "--output", "whole").exit_code == 0
    for name in ("segments.csv", "profiles.csv"):
        assert (workplace / "first" / name).read_bytes() == (workplace / "whole" / name).read_bytes()


def test_a_checkpoint_of_another_table_is_refused_and_stays(run, refused, customers, workplace) -> None:
    (workplace / "run.checkpoint").write_text("a shopping list")
    said = refused("segment", customers, "--checkpoint", "run.checkpoint")
    assert "--checkpoint must be a new file" in said
    assert (workplace / "run.checkpoint").read_text() == "a shopping list"


def test_an_interruption_while_overwriting_keeps_the_old_results(
    run, kept, customers, workplace, monkeypatch
) -> None:
    kept("segment", customers.name, "--components", "2")
    before = snapshot(workplace)

    def interrupt(*_arguments: object, **_options: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr("mixtura.plot.charts.segments.draw_chart", interrupt)
    assert run("segment", customers, "--components", "3", "--overwrite").exit_code == 130
    assert snapshot(workplace) == before


@pytest.mark.parametrize("command", ["assign", "show"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[: len(text) // 2], "truncated or not JSON"),
        (lambda text: "", "truncated or not JSON"),
        (lambda text: text.replace('"rows": 300', '"rows": 301'), "was altered"),
        (lambda text: text.replace('"format_version": 4', '"format_version": 5'), "reads formats up to 4"),
        (lambda text: text.replace('"format_version": 4', '"format_version": "x"'), "format_version 'x'"),
        (lambda text: "[]", "not a model of mixtura"),
        (lambda text: '{"weights": NaN}', "truncated or not JSON"),
    ],
)
def test_model_files_that_cannot_be_used(refused, model, customers, command, change, said) -> None:
    text = model.read_text()
    assert change(text) != text
    model.write_text(change(text))
    message = refused(command, model, *([customers] if command == "assign" else []))
    assert said in message


def test_a_model_that_is_not_there_or_no_text(refused, customers, workplace) -> None:
    assert "There is no file 'model.json'" in refused("show", "model.json")
    (workplace / "model.pkl").write_bytes(b"\x80\x04\x95\xff")
    assert "no pickles" in refused("show", "model.pkl")


def test_a_table_that_lacks_columns_of_the_model(refused, model, workplace) -> None:
    (workplace / "new.csv").write_text("Income,spending\n1,2\n")
    message = refused("assign", model, "new.csv")
    assert "The table lacks 'income'" in message
    assert "Rename 'Income'" in message


def test_results_of_assign_are_not_overwritten_unasked(run, refused, model, customers, workplace) -> None:
    assert run("assign", model, customers).exit_code == 0
    assert "exists already" in refused("assign", model, customers)
    assert run("assign", model, customers, "--overwrite").exit_code == 0
    assert ".csv, .parquet, .sav or .dta" in refused("assign", model, customers, "--output", "results.doc")
    assert "is a directory" in refused("assign", model, customers, "--output", ".")


def test_a_missing_extra_is_named(monkeypatch, capsys) -> None:
    import sys

    from mixtura.cli import main

    monkeypatch.setitem(sys.modules, "mixtura.cli.app", None)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert 'pip install "mixtura[cli]"' in capsys.readouterr().err


def test_the_good_table_is_good(run, workplace) -> None:
    (workplace / "good.csv").write_text(GOOD)
    assert run("segment", "good.csv", "--components", "3").exit_code == 0


@pytest.mark.parametrize(
    ("command", "output", "said"),
    [
        ("segment", "missing/results", "there is no directory"),
        ("select", "missing/results", "there is no directory"),
        ("assign", "missing/results.csv", "there is no directory"),
        ("audience", "missing/results.csv", "there is no directory"),
        (
            "assign",
            "results.xlsx",
            "must end in .csv, .parquet, .sav or .dta; got 'results.xlsx'. Try 'results.csv'",
        ),
        ("audience", "results", "must end in .csv, .parquet, .sav or .dta"),
    ],
)
def test_the_output_is_checked_before_anything_is_read(
    refused, model, customers, monkeypatch, command, output, said
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the table was read")

    monkeypatch.setattr("mixtura.io.read_table", never)
    files = (customers,) if command in {"segment", "select"} else (model, customers)
    more = ("--segment", "1", "--top", "3") if command == "audience" else ()
    message = refused(command, *files, *more, "--output", output)
    assert said in message
    assert "--output" in message or "Try" in message


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--merge", "--excel"), "--merge needs a value; got '--excel'"),
        (("--excel", "--id", "--merge", "auto"), "--id needs a value; got '--merge'"),
        (("--columns", "--report"), "--columns needs a value; got '--report'"),
    ],
)
def test_an_option_is_not_the_value_of_the_one_before(refused, arguments, said) -> None:
    Path("good.csv").write_text(GOOD)
    text = refused("segment", "good.csv", *arguments)
    assert said in text
    assert f"{said.split()[0]}=--" in text


def test_a_value_that_begins_with_dashes_is_given_with_an_equals_sign(refused) -> None:
    Path("good.csv").write_text(GOOD)
    assert "names '--excel', and the table has no such column" in refused(
        "segment", "good.csv", "--id=--excel"
    )
