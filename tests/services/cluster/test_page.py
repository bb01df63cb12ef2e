"""The page on clusters: its blocks run, and the product says what it cannot do there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clusters import dask_processes
from engines import spark_session
from mixtura.exceptions import TableError
from mixtura.segments import segment_table

pandas = pytest.importorskip("pandas")
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "on-a-cluster.md"
BLOCKS = re.findall(r"^```py\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
PRODUCT, PRODUCT_ON_SPARK, DASK, SPARK = BLOCKS
(COMMAND,) = re.findall(r"^(mixtura segment .*--dask.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture
def customers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    rng = np.random.RandomState(0)
    (tmp_path / "customers").mkdir()
    for part in range(2):
        rows = rng.standard_normal((600, 3)) + 4.0 * rng.randint(5, size=(600, 1))
        table = pandas.DataFrame(rows, columns=["income", "spending", "visits"])
        table.to_parquet(tmp_path / "customers" / f"{part}.parquet")
    monkeypatch.chdir(tmp_path)


def test_the_block_for_dask(customers: None) -> None:
    with dask_processes(1) as cluster:
        names: dict[str, Any] = {}
        exec(DASK.replace("tcp://scheduler:8786", cluster.address), names)
        try:
            assert len(names["labels"].compute()) == 1200
            assert names["best"].n_components_ == 5
            with pytest.raises(TableError, match="got a dataframe of dask"):
                segment_table(names["customers"])
        finally:
            names["client"].close()


def test_segments(customers: None, run: Callable[..., Any]) -> None:
    with dask_processes(1) as cluster:
        names: dict[str, Any] = {}
        exec(PRODUCT.replace("tcp://scheduler:8786", cluster.address), names)
        assert len(names["found"].names) == 5
        assert names["assigned"].compute()["segment"].between(1, 5).all()
        names["client"].close()
        done = run(*shlex.split(COMMAND.replace("tcp://scheduler:8786", cluster.address))[1:])
        assert done.exit_code == 0, done.output
        assert "1,200 customers" in done.stdout


@pytest.mark.first
def test_the_blocks_for_spark(customers: None) -> None:
    session, names = spark_session(), dict[str, Any]()
    # Spark reads relative paths from where its session was started.
    ours = f'"{Path.cwd() / "customers"}"'
    exec(SPARK.replace('"customers/"', ours), names)
    assert names["spark"] is session
    assert names["scored"].columns == ["income", "spending", "visits", "prediction"]
    with pytest.raises(TableError, match="got a dataframe of pyspark"):
        segment_table(names["customers"])
    exec(PRODUCT_ON_SPARK.replace('"customers/"', ours), names)
    assert len(names["found"].names) == 5
    assert Path("segments", "segments.parquet").exists()
    assert names["assigned"].columns[-1] == "anomaly"
    assert "FROM" in names["statement"]
