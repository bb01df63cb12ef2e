"""Segments of tables that the workers of a Dask cluster read, each a process of its own: those found without it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from cluster_segments import (
    DESCRIBED,
    KINDS,
    OPTIONS,
    SAMPLE,
    TABLE,
    N,
    Written,
    require_counted,
    require_same_result,
    written,
)
from clusters import DaskProcesses, dask_processes
from mixtura import GaussianMixture, Segmentation
from mixtura.data.sources import open_source
from mixtura.exceptions import ClusterError, ColumnError, DataError, ParameterError, TableError
from mixtura.segments.large import opening, segment_source
from mixtura.segments.large.on_cluster import segment_on_cluster, write_parts

pytest.importorskip("distributed")
dd = pytest.importorskip("dask.dataframe")

module = sys.modules["mixtura.segments.large.on_cluster.segment_on_cluster"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[DaskProcesses]:
    with dask_processes(2) as found:
        yield found


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in (segment_source, module):
        monkeypatch.setattr(one, "LARGE_ROWS", SAMPLE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unequal files, one of them of one row, in several formats."""
    found = tmp_path_factory.mktemp("tables")
    cuts = [0, 1, 4_000, 6_990, N]
    for number, (first, last) in enumerate(pairwise(cuts)):
        part = TABLE.slice(first, last - first)
        part.write_parquet(found / f"{number}.parquet", row_group_size=1_100)
        part.write_csv(found / f"{number}.csv")
        part.write_ipc(found / f"{number}.arrow", compression="uncompressed")
    return found


@pytest.fixture(scope="module")
def alone(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Written:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment_source, "LARGE_ROWS", SAMPLE)
        found = segment_source.segment_source(open_source(str(folder / "*.parquet")), **OPTIONS, **DESCRIBED)
    return written(found, tmp_path_factory.mktemp("alone") / "written")


def test_everything_is_as_without_a_cluster(
    cluster: DaskProcesses, alone: Written, folder: Path, tmp_path: Path
) -> None:
    found = segment_on_cluster(str(folder / "*.parquet"), **OPTIONS, **DESCRIBED)
    require_same_result(found, alone.result)
    assert found.n_rows == N
    (said,) = set(found.notes) - set(alone.result.notes)
    assert "stayed with the 2 workers of a Dask cluster, in 2 parts" in said
    there = written(found, tmp_path / "there")
    assert sorted(path.name for path in there.folder.iterdir()) == ["segments.csv", "segments.parquet"]
    assert_frame_equal(there.customers, alone.customers, rel_tol=1e-9)
    assert there.customers["who"].to_list() == TABLE["who"].to_list()
    both = [pl.read_csv(one.folder / "segments.csv") for one in (there, alone)]
    assert_frame_equal(*both, rel_tol=1e-8)


def test_large_tables_are_written_in_parts(
    cluster: DaskProcesses, alone: Written, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_parts, "MOST_CSV_ROWS", N - 1)
    found = segment_on_cluster(str(folder / "*.parquet"), **OPTIONS, **DESCRIBED)
    there = written(found, tmp_path / "there")
    assert [path.name for path in there.folder.iterdir()] == ["segments.parquet"]
    parts = sorted(path.name for path in (there.folder / "segments.parquet").iterdir())
    assert parts == [f"part-{number:05}.parquet" for number in range(2)]
    assert_frame_equal(there.customers, alone.customers, rel_tol=1e-9)


@pytest.mark.parametrize("suffix", ["csv", "arrow"])
def test_files_whose_rows_are_counted_by_workers(
    cluster: DaskProcesses, alone: Written, folder: Path, suffix: str
) -> None:
    found = segment_on_cluster([folder / f"{n}.{suffix}" for n in range(4)], **OPTIONS, **DESCRIBED)
    require_same_result(found, alone.result)


def test_one_text_table_is_read_by_several_workers(
    cluster: DaskProcesses, alone: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mixtura.data.sources.text.line_ranges._RANGE", 100_000)
    TABLE.write_csv(tmp_path / "one.csv")
    found = segment_on_cluster(tmp_path / "one.csv", **OPTIONS, **DESCRIBED)
    require_same_result(found, alone.result)
    assert any("2 workers of a Dask cluster, in 2 parts" in note for note in found.notes)
    there = written(found, tmp_path / "there")
    assert there.customers["who"].to_list() == TABLE["who"].to_list()


def test_a_dask_dataframe(cluster: DaskProcesses, alone: Written, folder: Path) -> None:
    frame = dd.read_parquet([str(folder / f"{n}.parquet") for n in range(4)])
    found = Segmentation.fit(frame, **OPTIONS, **DESCRIBED)
    require_same_result(found.result, alone.result)
    with pytest.raises(DataError, match=r"segments.parquet has"):
        found.memberships  # noqa: B018


@pytest.mark.parametrize("name", KINDS)
def test_counts_categories_and_point_masses(
    cluster: DaskProcesses, folder: Path, tmp_path: Path, name: str
) -> None:
    options = OPTIONS | KINDS[name] | DESCRIBED | {"components": [3]}
    here = segment_source.segment_source(open_source(str(folder / "*.parquet")), **options)
    frame = dd.read_parquet([str(folder / f"{n}.parquet") for n in range(4)])
    found = Segmentation.fit(frame, **options).result
    require_same_result(found, here)
    (said,) = set(found.notes) - set(here.notes)
    assert "stayed with the 2 workers of a Dask cluster, in 2 parts" in said
    assert set(here.notes) < set(found.notes)
    both = [written(one, tmp_path / place) for one, place in ((found, "there"), (here, "here"))]
    assert_frame_equal(both[0].customers, both[1].customers, rel_tol=1e-9)
    require_counted(both[0])


@pytest.mark.parametrize("role", [{"columns": ["income", "zz"]}, {"describe": ["zz"]}, {"id_column": "zz"}])
def test_a_column_that_is_not_there_is_named(
    cluster: DaskProcesses, folder: Path, role: dict[str, Any]
) -> None:
    with pytest.raises(
        ColumnError, match=f"`{next(iter(role))}` names 'zz', and the table has no such column"
    ):
        segment_on_cluster(str(folder / "*.parquet"), **OPTIONS | role)


def test_a_small_table_is_read_here(cluster: DaskProcesses, folder: Path) -> None:
    few = dd.read_parquet(str(folder / "2.parquet"))
    found = Segmentation.fit(few, columns=["income", "spent"], components=[1])
    assert (found.result.n_rows, found.result.whole) == (2_990, None)
    assert len(found.memberships) == 2_990


def test_a_worker_dies_in_the_middle(
    cluster: DaskProcesses, alone: Written, folder: Path, tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill(done: int, total: int | None) -> None:
        if not killed:
            killed.append(done)
            cluster.kill_worker()

    found = segment_on_cluster(str(folder / "*.parquet"), on_pass=kill, **OPTIONS, **DESCRIBED)
    assert killed
    require_same_result(found, alone.result)
    cluster.kill_worker()
    cluster.add_worker()
    assert_frame_equal(written(found, tmp_path / "there").customers, alone.customers, rel_tol=1e-9)
    cluster.add_worker()


def test_what_workers_do_not_see_is_named(cluster: DaskProcesses, folder: Path, tmp_path: Path) -> None:
    with (folder / "0.parquet").open("rb") as file:
        # What this process has open under a number no worker has.
        mine = os.dup2(file.fileno(), 200)
        (tmp_path / "mine.parquet").symlink_to(f"/proc/self/fd/{mine}")
        with pytest.raises(
            ClusterError, match=r"The worker tcp://\S+ does not see '\S+mine.parquet'.*all share"
        ):
            segment_on_cluster(tmp_path / "mine.parquet", **OPTIONS)
        os.close(mine)
    with pytest.raises(TableError, match="No file matches"):
        segment_on_cluster(str(tmp_path / "*.csv"), **OPTIONS)


def test_a_worker_with_another_version_is_refused(
    cluster: DaskProcesses, folder: Path, tmp_path: Path
) -> None:
    """It is a process of its own, in which an older mixtura is installed, as far as its metadata say."""
    installed = tmp_path / "older" / "mixtura-0.0.1.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: mixtura\nVersion: 0.0.1\n", encoding="utf-8"
    )
    cluster.add_worker(installed.parent)
    try:
        said = rf"The worker tcp://\S+ has mixtura 0\.0\.1; {re.escape(version('mixtura'))} is required there, as here"
        frame = dd.read_parquet([str(folder / f"{n}.parquet") for n in range(4)])
        with pytest.raises(ClusterError, match=said):
            segment_on_cluster(str(folder / "*.parquet"), **OPTIONS)
        with pytest.raises(ClusterError, match=said):
            Segmentation.fit(frame, **OPTIONS)
        with pytest.raises(ClusterError, match=said):
            GaussianMixture(2).fit(frame[["worth"]])
    finally:
        older = cluster.workers.pop()
        older.kill()
        older.wait()


def test_a_file_that_changes_is_named(cluster: DaskProcesses, folder: Path, tmp_path: Path) -> None:
    TABLE.write_parquet(tmp_path / "t.parquet")

    def change(name: str) -> None:
        if name == "Reading the columns of all rows":
            TABLE[:100].write_parquet(tmp_path / "t.parquet")

    with pytest.raises(TableError, match=r"'\S+t.parquet' has .* bytes where a worker reads it, and had"):
        segment_on_cluster(tmp_path / "t.parquet", on_stage=change, **OPTIONS)


@pytest.mark.parametrize(
    ("name", "value"),
    [("robust", "noise"), ("known", "land"), ("keep", "model.json")],
)
def test_what_needs_rows_here_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=rf"`{name}` cannot be given with `dask`"):
        segment_on_cluster("nowhere.parquet", **OPTIONS | {name: value})


def test_the_command(
    cluster: DaskProcesses, alone: Written, folder: Path, workplace: Path, run: Callable[..., Any]
) -> None:
    asked = (
        "--columns",
        "income,spent",
        "--components",
        "2-4",
        "--covariance-type",
        "full",
        "--describe",
        "land",
    )
    asked = (*asked, "--id", "who", "--value", "worth", "--weight", "times")
    done = run("segment", folder / "*.parquet", "--dask", cluster.address, "--output", "there", *asked)
    assert done.exit_code == 0, done.output
    shown = " ".join(done.stdout.split())
    assert "12,000 rows, 9 columns" in shown
    assert "The rows stayed with the 2 workers of a Dask cluster" in shown
    assert "the sample alone was read here" in (workplace / "there" / "report.html").read_text(
        encoding="utf-8"
    )
    assert_frame_equal(Written(alone.result, workplace / "there").customers, alone.customers, rel_tol=1e-9)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--sql", "SELECT 1", "--database", "x.duckdb"), "--sql cannot be given with --dask"),
        (("t.parquet", "--in-database"), "--in-database cannot be given with --dask"),
        (("t.parquet", "--spool-dir", "."), "--spool-dir cannot be given with --dask"),
        (("t.parquet", "--robust", "t"), "--robust cannot be given with --dask"),
        (("t.parquet",), "--dask must be the address of a scheduler that answers, or 'local'; 'tcp://127"),
    ],
)
def test_the_command_refuses_before_a_file_is_touched(
    options: tuple[str, ...], said: str, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mixtura.run.remote.dask_connection._CONNECTING", 0.5)
    assert said in refused("segment", *options, "--dask", "tcp://127.0.0.1:9")


def test_workers_of_its_own(folder: Path, workplace: Path, run: Callable[..., Any]) -> None:
    done = run(
        "segment", folder / "3.parquet", "--dask", "local", "--columns", "income,spent", "--components", "3"
    )
    assert done.exit_code == 0, done.output
    assert "workers of a Dask cluster" in " ".join(done.stdout.split())
    assert opening.LARGE_ROWS > N
