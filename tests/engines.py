"""Databases that score: each started, loaded and asked through one interface; absent ones skip with the reason.

    with started("postgresql") as engine:
        engine.load("customers", {"id": ("integer", [1, 2]), "income": ("double", [1.5, None])})
        names, rows = engine.ask("SELECT ...")

Kinds of columns are double, real, integer, decimal (of four decimals), text and boolean.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import pytest

__all__ = ["ENGINES", "Engine", "free_port", "spark_session", "started"]

Columns = Mapping[str, tuple[str, Sequence[Any]]]
Answer = tuple[list[str], list[tuple[Any, ...]]]

LOOPBACK = "127.0.0.1"


class Engine(Protocol):
    def load(self, table: str, columns: Columns) -> None: ...

    def ask(self, statement: str) -> Answer: ...


def quoted(name: str, mark: str = '"') -> str:
    return f"{mark}{name.replace(mark, mark * 2)}{mark}"


def by_row(columns: Columns) -> list[tuple[Any, ...]]:
    return list(zip(*(values for _, values in columns.values()), strict=True))


class Cursors:
    """An engine with a DB-API connection."""

    def __init__(self, connection: Any, types: Mapping[str, str], mark: str = '"', holder: str = "?") -> None:
        self.connection, self.types, self.mark, self.holder = connection, types, mark, holder

    def load(self, table: str, columns: Columns) -> None:
        name = quoted(table, self.mark)
        listed = ", ".join(
            f"{quoted(one, self.mark)} {self.types[kind]}" for one, (kind, _) in columns.items()
        )
        holders = ", ".join([self.holder] * len(columns))
        cursor = self.connection.cursor()
        cursor.execute(f"CREATE TABLE {name} ({listed})")
        self.connection.commit()
        cursor.executemany(f"INSERT INTO {name} VALUES ({holders})", by_row(columns))
        self.connection.commit()

    def ask(self, statement: str) -> Answer:
        cursor = self.connection.cursor()
        cursor.execute(statement)
        rows = [tuple(row) for row in cursor.fetchall()]
        names = [one[0] for one in cursor.description]
        self.connection.commit()
        return names, rows


STANDARD = {
    "double": "DOUBLE PRECISION",
    "real": "REAL",
    "integer": "INTEGER",
    "decimal": "DECIMAL(18, 4)",
    "text": "VARCHAR(100)",
    "boolean": "BOOLEAN",
}


@contextmanager
def duckdb_engine() -> Iterator[Engine]:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        yield Cursors(connection, STANDARD)


@contextmanager
def sqlite_engine() -> Iterator[Engine]:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("SELECT exp(1.0), ln(2.0)")
    except sqlite3.OperationalError:
        pytest.skip("this SQLite was built without exp and ln")
    sqlite3.register_adapter(Decimal, float)
    yield Cursors(connection, STANDARD)
    connection.close()


def program(name: str, *places: str) -> str:
    """The path of a program of Debian's packages."""
    paths = [str(path) for place in places for path in sorted(Path("/").glob(place.lstrip("/")))]
    found = shutil.which(name, path=os.pathsep.join([*paths, os.environ.get("PATH", ""), "/usr/sbin"]))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind((LOOPBACK, 0))
        return int(one.getsockname()[1])


def until_it_answers(connect: Callable[[], Any], server: subprocess.Popen[bytes]) -> Any:
    for _ in range(300):
        try:
            return connect()
        except Exception:
            if server.poll() is not None:
                raise
            time.sleep(0.1)
    return connect()


@contextmanager
def served(command: Sequence[str], user: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server of this machine's, run by a user who is not root, ended at last."""
    as_user = {"user": user} if os.geteuid() == 0 else {}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user) as server:
        try:
            yield server
        finally:
            server.terminate()


@contextmanager
def owned_folder(user: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, user)
        yield Path(folder)


def run_as(user: str, *command: str) -> None:
    as_user = {"user": user} if os.geteuid() == 0 else {}
    subprocess.run(command, check=True, capture_output=True, **as_user)


@contextmanager
def postgresql_engine() -> Iterator[Engine]:
    psycopg = pytest.importorskip("psycopg")
    place = "/usr/lib/postgresql/*/bin"
    port = free_port()
    with owned_folder("postgres") as folder:
        data = str(folder / "data")
        run_as("postgres", program("initdb", place), "-D", data, "-A", "trust", "-E", "UTF8", "--no-sync")
        command = [program("postgres", place), "-D", data, "-p", str(port), "-h", LOOPBACK, "-k", str(folder)]
        with served([*command, "-c", "fsync=off"], "postgres") as server:
            where = {"host": LOOPBACK, "port": port, "user": "postgres", "dbname": "postgres"}
            connection = until_it_answers(lambda: psycopg.connect(**where), server)
            connection.execute("SET jit = off")
            yield Cursors(connection, STANDARD, holder="%s")
            connection.close()


@contextmanager
def mariadb_engine() -> Iterator[Engine]:
    pymysql = pytest.importorskip("pymysql")
    port = free_port()
    with owned_folder("nobody") as folder:
        data = f"--datadir={folder / 'data'}"
        run_as(
            "nobody",
            program("mariadb-install-db"),
            "--no-defaults",
            data,
            "--auth-root-authentication-method=normal",
        )
        command = [program("mariadbd"), "--no-defaults", data, f"--port={port}", f"--bind-address={LOOPBACK}"]
        command += [
            f"--socket={folder / 'socket'}",
            f"--pid-file={folder / 'pid'}",
            "--character-set-server=utf8mb4",
        ]
        with served(command, "nobody") as server:
            connection = until_it_answers(
                lambda: pymysql.connect(host=LOOPBACK, port=port, user="root", charset="utf8mb4"), server
            )
            connection.cursor().execute("CREATE DATABASE scoring")
            connection.select_db("scoring")
            types = STANDARD | {"real": "FLOAT"}
            yield Cursors(connection, types, mark="`", holder="%s")
            connection.close()


@contextmanager
def firebird_engine() -> Iterator[Engine]:
    fdb = pytest.importorskip("fdb")
    program("isql-fb")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "scoring.fdb")
        text = f"CREATE DATABASE '{path}' USER 'SYSDBA' PASSWORD 'masterkey' DEFAULT CHARACTER SET UTF8"
        connection = fdb.create_database(text)
        yield Cursors(connection, STANDARD | {"real": "FLOAT"})
        connection.close()


def as_arrow(columns: Columns) -> Any:
    pa = pytest.importorskip("pyarrow")
    types = {
        "double": pa.float64(),
        "real": pa.float32(),
        "integer": pa.int32(),
        "decimal": pa.decimal128(18, 4),
        "text": pa.string(),
        "boolean": pa.bool_(),
    }
    return pa.table({name: pa.array(values, type=types[kind]) for name, (kind, values) in columns.items()})


class DataFusion:
    def __init__(self, context: Any) -> None:
        self.context = context

    def load(self, table: str, columns: Columns) -> None:
        self.context.register_record_batches(quoted(table), [as_arrow(columns).to_batches()])

    def ask(self, statement: str) -> Answer:
        found = self.context.sql(statement).to_arrow_table()
        return found.column_names, [tuple(row.values()) for row in found.to_pylist()]


@contextmanager
def datafusion_engine() -> Iterator[Engine]:
    yield DataFusion(pytest.importorskip("datafusion").SessionContext())


class Polars:
    def __init__(self, polars: Any) -> None:
        self.polars, self.context = polars, polars.SQLContext(eager=True)

    def load(self, table: str, columns: Columns) -> None:
        self.context.register(table, self.polars.from_arrow(as_arrow(columns)))

    def ask(self, statement: str) -> Answer:
        found = self.context.execute(statement)
        return found.columns, found.rows()


@contextmanager
def polars_engine() -> Iterator[Engine]:
    yield Polars(pytest.importorskip("polars"))


class ClickHouse:
    def __init__(self, session: Any) -> None:
        self.session = session

    def load(self, table: str, columns: Columns) -> None:
        types = {
            "double": "Float64",
            "real": "Float32",
            "integer": "Int32",
            "decimal": "Decimal(18, 4)",
            "text": "String",
            "boolean": "Bool",
        }
        name = quoted(table)
        listed = ", ".join(f"{quoted(one)} Nullable({types[kind]})" for one, (kind, _) in columns.items())
        self.session.query(f"CREATE TABLE {name} ({listed}) ENGINE = Memory")
        lines = "\n".join(json.dumps([plain(value) for value in row]) for row in by_row(columns))
        self.session.query(
            f"INSERT INTO {name} SETTINGS precise_float_parsing = 1 FORMAT JSONCompactEachRow {lines}"
        )

    def ask(self, statement: str) -> Answer:
        found = json.loads(self.session.query(statement, "JSONCompact").bytes())
        return [one["name"] for one in found["meta"]], [tuple(row) for row in found["data"]]


def plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


@contextmanager
def clickhouse_engine() -> Iterator[Engine]:
    session = pytest.importorskip("chdb.session").Session()
    yield ClickHouse(session)
    session.close()


class Spark:
    def __init__(self, session: Any) -> None:
        self.session = session

    def load(self, table: str, columns: Columns) -> None:
        types = {
            "double": "double",
            "real": "float",
            "integer": "int",
            "decimal": "decimal(18,4)",
            "text": "string",
            "boolean": "boolean",
        }
        schema = ", ".join(f"{quoted(one, '`')} {types[kind]}" for one, (kind, _) in columns.items())
        frame = self.session.createDataFrame(by_row(columns), schema)
        frame.coalesce(1).createOrReplaceTempView(quoted(table, "`"))

    def ask(self, statement: str) -> Answer:
        found = self.session.sql(statement)
        return found.columns, [tuple(row) for row in found.collect()]


@lru_cache(maxsize=1)
def spark_session() -> Any:
    """The one session of Spark that all tests share; starting it takes longer than most of them."""
    sql = pytest.importorskip("pyspark.sql")
    program("java")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": LOOPBACK,
        "spark.driver.host": LOOPBACK,
        "spark.sql.shuffle.partitions": "1",
        "spark.log.level": "ERROR",
        # Tests run its code a few times only: to compile that well takes more time than it saves.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    # Two threads, and four attempts at a task, as on a cluster.
    builder = sql.SparkSession.builder.master("local[2,4]").appName("mixtura")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


@contextmanager
def spark_engine(ansi: str = "true") -> Iterator[Engine]:
    session = spark_session()
    before = session.conf.get("spark.sql.ansi.enabled")
    session.conf.set("spark.sql.ansi.enabled", ansi)
    yield Spark(session)
    session.conf.set("spark.sql.ansi.enabled", before)


ENGINES: dict[str, Callable[[], Any]] = {
    "clickhouse": clickhouse_engine,
    "datafusion": datafusion_engine,
    "duckdb": duckdb_engine,
    "firebird": firebird_engine,
    "mariadb": mariadb_engine,
    "polars": polars_engine,
    "postgresql": postgresql_engine,
    "spark": spark_engine,
    "spark without ANSI": lambda: spark_engine("false"),
    "sqlite": sqlite_engine,
}


def started(name: str) -> Any:
    """A context manager that yields the engine."""
    return ENGINES[name]()
