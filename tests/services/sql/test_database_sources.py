"""Queries of a real PostgreSQL server as tables, through ADBC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from engines import started
from mixtura import Segmentation
from mixtura.data.sources import Source, open_source, read_whole
from mixtura.datasets import make_customers
from mixtura.exceptions import TableError

pytest.importorskip("adbc_driver_postgresql")

N = 20_000


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with started("postgresql") as engine:
        connection = engine.connection
        rows = make_customers()
        engine.load(
            "customers",
            {
                "id": ("text", [f"{number:04}" for number in range(300)]),
                "income": ("double", rows[:, 0].tolist()),
                "spending": ("double", [None, *rows[1:, 1].tolist()]),
                "paid": ("decimal", [1.25] * 300),
            },
        )
        connection.execute(
            "CREATE TABLE many AS SELECT g AS id, random() AS x, repeat('y', 2000) AS word "
            f"FROM generate_series(1, {N}) g"
        )
        connection.commit()
        yield connection


def asked(server: Any, sql: str) -> Source:
    where = server.info
    return open_source(
        sql=sql, database=f"postgresql://{where.user}@{where.host}:{where.port}/{where.dbname}"
    )


def test_rows_come_in_the_order_of_the_query(server: Any) -> None:
    found = read_whole(asked(server, "SELECT id, income, spending FROM customers ORDER BY id DESC"))
    assert found["id"].to_pylist() == [f"{number:04}" for number in reversed(range(300))]
    np.testing.assert_array_equal(found["income"].to_numpy(), make_customers()[::-1, 0])
    assert found["spending"].to_pylist()[-1] is None


def test_segments_of_a_query_are_those_of_the_table(server: Any) -> None:
    source = asked(server, "SELECT id, income, spending FROM customers ORDER BY id")
    found = Segmentation.fit(source, components=[3], id_column="id")
    frame = make_customers(as_frame="polars")
    expected = Segmentation.fit(frame[1:], components=[3])
    assert [one.count for one in found.result.segments] == pytest.approx(
        [one.count for one in expected.result.segments], abs=1
    )


def test_a_server_that_ends_the_connection(server: Any) -> None:
    source = asked(server, "SELECT pg_backend_pid() AS id, x, word FROM many")
    batches = source.batches()
    first = next(batches)
    server.execute("SELECT pg_terminate_backend(%s)", [first["id"][0].as_py()])
    server.commit()
    with pytest.raises(TableError, match="broke off while the query was answered"):
        list(batches)


def test_a_server_that_refuses(server: Any) -> None:
    with pytest.raises(TableError, match="The database refuses the query"):
        asked(server, "SELECT * FROM nothing")
