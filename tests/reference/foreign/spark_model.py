"""The model of Spark ML in the folder spark_model, and Spark's own probabilities of some rows: run with pyspark 4.3.0.

python spark_model.py
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def main() -> None:
    # Here, so that the tests are collected where Spark is not installed.
    from pyspark.ml.clustering import GaussianMixture
    from pyspark.ml.linalg import Vectors
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    rng = np.random.default_rng(0)
    rows = np.vstack(
        [rng.normal(0, 1, (200, 2)), rng.normal(0, 1, (100, 2)) @ [[1.0, 0.7], [0.0, 0.5]] + [4, 2]]
    )
    frame = session.createDataFrame([(Vectors.dense(row),) for row in rows.tolist()], ["features"])
    model = GaussianMixture(k=2, seed=1, maxIter=100).fit(frame)
    model.write().overwrite().save(str(HERE / "spark_model"))
    asked = rows[::15]
    found = [model.predictProbability(Vectors.dense(row)).toArray().tolist() for row in asked.tolist()]
    answers = {"rows": asked.tolist(), "probabilities": found}
    (HERE / "spark_model.json").write_text(json.dumps(answers) + "\n", encoding="utf-8")
    session.stop()


if __name__ == "__main__":
    main()
