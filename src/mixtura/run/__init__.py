"""Where passes run: each runner reduces over blocks in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixtura._lazy import lazy_names

if TYPE_CHECKING:
    from mixtura.run.blas import limit_blas_threads
    from mixtura.run.dask import DaskRunner
    from mixtura.run.database_runner import DatabaseRunner
    from mixtura.run.parallelism import get_runner, get_threads, set_threads, with_jobs
    from mixtura.run.remote.dask_cluster import DaskCluster
    from mixtura.run.remote.dask_connection import dask_cluster, require_seen
    from mixtura.run.remote.spark.spark_cluster import SparkCluster
    from mixtura.run.remote.spark.spark_pieces import SparkPieces
    from mixtura.run.serial import SerialRunner
    from mixtura.run.spark import SparkRunner
    from mixtura.run.task_workers import map_tasks
    from mixtura.run.threads import ThreadRunner
    from mixtura.run.workers.kept_pool import ready_workers, start_workers
    from mixtura.run.workers.who_works import ALONE, Workers

__all__ = [
    "ALONE",
    "DaskCluster",
    "DaskRunner",
    "DatabaseRunner",
    "SerialRunner",
    "SparkCluster",
    "SparkPieces",
    "SparkRunner",
    "ThreadRunner",
    "Workers",
    "dask_cluster",
    "get_runner",
    "get_threads",
    "limit_blas_threads",
    "map_tasks",
    "ready_workers",
    "require_seen",
    "set_threads",
    "start_workers",
    "with_jobs",
]

if not TYPE_CHECKING:  # a type checker that saw __getattr__ would take every name for one
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "blas": "limit_blas_threads",
            "dask": "DaskRunner",
            "database_runner": "DatabaseRunner",
            "parallelism": "get_runner get_threads set_threads with_jobs",
            "remote.dask_cluster": "DaskCluster",
            "remote.dask_connection": "dask_cluster require_seen",
            "remote.spark.spark_cluster": "SparkCluster",
            "remote.spark.spark_pieces": "SparkPieces",
            "serial": "SerialRunner",
            "spark": "SparkRunner",
            "task_workers": "map_tasks",
            "threads": "ThreadRunner",
            "workers.kept_pool": "ready_workers start_workers",
            "workers.who_works": "ALONE Workers",
        },
    )
