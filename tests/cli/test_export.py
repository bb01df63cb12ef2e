"""``mixtura export``: a statement on the terminal or in a file, and what is refused."""

from __future__ import annotations

import json

import duckdb
import numpy as np
import polars as pl
import pytest

from mixtura.segments import segment_table


def test_the_statement_scores_as_assign_does(run, model, customers, workplace) -> None:
    assert run("assign", model, customers, "--output", "assigned.parquet").exit_code == 0
    done = run("export", model, "--sql", "duckdb", "--table", "customers", "--output", "score.sql")
    assert done.exit_code == 0, done.output
    assert done.output == "Written: score.sql\n"
    statement = (workplace / "score.sql").read_text(encoding="utf-8")
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE customers AS FROM '{customers}'")
        found = connection.sql(statement).pl()
    wanted = pl.read_parquet("assigned.parquet")
    assert found.columns == wanted.columns
    found, wanted = found.sort("id"), wanted.sort("id")
    for name in ("segment", "segment_name", "anomaly"):
        assert found[name].to_list() == wanted[name].to_list()
    for name in ("certainty", "probability_1", "log_density"):
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-11)


def test_without_a_file_the_statement_is_printed(run, model) -> None:
    done = run("export", model, "--sql", "postgresql", "--table", "crm.customers", "--id", "a", "--id", "b")
    assert done.exit_code == 0, done.output
    assert done.output.startswith("-- Segments of a Gaussian mixture, for postgresql")
    assert 'FROM "crm"."customers" t' in done.output
    assert 't."a" AS row_id0' in done.output
    assert 't."b" AS row_id1' in done.output


@pytest.mark.parametrize(
    ("language", "beginning"), [("javascript", "// Written by mixtura"), ("spss", "* Written by mixtura")]
)
def test_scripts_are_printed_or_written(run, model, workplace, language: str, beginning: str) -> None:
    done = run("export", model, "--language", language)
    assert done.exit_code == 0, done.output
    assert done.output.startswith(beginning)
    assert run("export", model, "--language", language, "--output", "scoring.txt").exit_code == 0
    assert (workplace / "scoring.txt").read_text(encoding="utf-8") == done.output


def test_unknown_languages_are_refused(refused, model) -> None:
    assert "--language must be javascript or spss; got 'cobol'" in refused(
        "export", model, "--language", "cobol"
    )
    assert "--language needs none of" in refused("export", model, "--language", "spss", "--onnx")


def test_models_with_noise_are_refused_by_what_was_asked_for(refused, workplace) -> None:
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(80, 2)), rng.normal(8, 1, (80, 2)), rng.uniform(-40, 40, (12, 2))])
    table = pl.DataFrame(rows, schema=["a", "b"])
    found = segment_table(table, robust="noise", components=[2], covariance_types=["full"])
    found.model.save(workplace / "noise.json")
    table.write_csv(workplace / "noise.csv")
    for command, form in [
        (("export", "noise.json", "--language", "javascript"), "JavaScript"),
        (("export", "noise.json", "--language", "spss"), "SPSS syntax"),
        (("export", "noise.json", "--sql", "duckdb", "--table", "t"), "SQL"),
        (("export", "noise.json", "--onnx"), "ONNX"),
        (("typing", "noise.json", "noise.csv"), "a typing tool"),
    ]:
        text = refused(*command, "--output", "written")
        assert f"noise for outliers cannot be written as {form}; only Gaussian components can" in text
        assert not (workplace / "written").exists()


def test_what_is_refused_leaves_no_file(refused, model, workplace) -> None:
    for options, said in [
        ((), "--sql DIALECT and --table NAME are required, or --onnx"),
        (("--sql", "duckdb"), "--sql DIALECT and --table NAME are required, or --onnx"),
        (("--sql", "oracle", "--table", "t"), "--sql must be one of bigquery"),
        (("--sql", "duckdb", "--table", ""), "--table must be a name"),
        (("--onnx", "--table", "t"), "--onnx needs --output FILE, and none of --sql"),
        (("--sql", "postgresql", "--table", "t" * 64), "postgresql takes names of at most 63 bytes"),
    ]:
        text = refused("export", model, *options, "--output", "score.sql")
        assert said in text
        assert not (workplace / "score.sql").exists()


def test_an_onnx_model_needs_a_file_and_assigns_as_assign_does(
    run, refused, model, customers, workplace
) -> None:
    runtime = pytest.importorskip("onnxruntime")
    assert "--onnx needs --output FILE" in refused("export", model, "--onnx")
    done = run("export", model, "--onnx", "--output", "model.onnx")
    assert done.exit_code == 0, done.output
    assert run("assign", model, customers, "--output", "assigned.parquet").exit_code == 0
    session = runtime.InferenceSession(str(workplace / "model.onnx"), providers=["CPUExecutionProvider"])
    columns = json.loads(session.get_modelmeta().custom_metadata_map["columns"])
    rows = pl.read_csv(customers).select(columns).cast(pl.Float64).to_numpy()
    segment, probabilities = session.run(["segment", "probabilities"], {"rows": rows})
    wanted = pl.read_parquet("assigned.parquet")
    assert segment.tolist() == wanted["segment"].to_list()
    np.testing.assert_allclose(probabilities[:, 1], wanted["probability_2"], rtol=0, atol=1e-10)


def test_a_file_is_replaced_only_when_asked(run, refused, model, workplace) -> None:
    (workplace / "score.sql").write_text("kept")
    command = ("export", model, "--sql", "duckdb", "--table", "t", "--output", "score.sql")
    refused(*command)
    assert (workplace / "score.sql").read_text() == "kept"
    assert run(*command, "--overwrite").exit_code == 0
    assert "WITH mixtura_1" in (workplace / "score.sql").read_text()
