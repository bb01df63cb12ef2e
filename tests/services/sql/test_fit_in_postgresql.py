"""Fitting inside a real PostgreSQL server, by psycopg and by ADBC."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from database_fitting import *  # noqa: F403
from database_fitting import COLUMNS, fixtures_of, mixture
from mixtura import DatabaseTable, GaussianMixture

engine, tables = fixtures_of("postgresql", aggregate=[True])


def test_a_server_may_be_named_by_its_address(engine: Any) -> None:
    pytest.importorskip("adbc_driver_postgresql")
    where = engine.connection.info
    start = mixture("full")
    given = {"weights_init": start.weights, "means_init": start.means}
    address = f"postgresql://{where.user}@{where.host}:{where.port}/{where.dbname}"
    found = []
    with DatabaseTable(address, "customers", columns=COLUMNS) as table:
        for one in (table, DatabaseTable(engine.connection, "public.customers", columns=COLUMNS)):
            fitted = GaussianMixture(3, random_state=0, **given).fit(one, sample_weight="count")
            found.append(fitted.covariances_)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-10)
