#!/bin/sh
# Spark 4.3.0 (pyspark and its py4j): a call that is made while the same thread waits for an answer of Spark takes that answer.
# A thread has one connection. Python may collect an object between the sending of a command and the reading of its answer; where its
# finalizer calls Spark, as one that unpersists a dataframe together with its owner does, each of the two calls is given the answer of the other, and
# no error is raised: `range(100).filter("id > 3")` returns the unpersisted dataframe of 10 rows, whose rows are then counted.
# It depends on when the garbage collector runs; here a collection is asked for where the collector may run by itself, after the sending.
# Seen: the count is 10, and 96 where nothing is collected, or where the finalizer unpersists in a thread of its own, which has a connection of its own.
# Exits 0 as long as this is so, 1 when it changes. Needs the network and Java 17 or later; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q pyspark==4.3.0
"$folder/venv/bin/python" - <<'PYTHON'
import gc
import socket
import sys
import threading
import weakref

import pyspark
from pyspark.sql import SparkSession

session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
session.sparkContext.setLogLevel("OFF")
main = threading.current_thread()


class Owner:
    """Rows that Spark keeps as long as somebody has this object."""

    def __init__(self, unpersist):
        self.rows = session.range(10).persist()
        self.itself = self  # a cycle, which the garbage collector ends
        weakref.finalize(self, unpersist, self.rows).atexit = False


def count_of_96(unpersist):
    """Return how many of 0 to 99 are above 3, as Spark says while an owner is collected."""
    rows, owner = session.range(100), Owner(unpersist)
    send, collected = socket.socket.sendall, []

    def send_and_collect(self, *given):
        send(self, *given)
        if not collected and threading.current_thread() is main:
            collected.append(gc.collect())

    gc.disable()
    del owner
    socket.socket.sendall = send_and_collect
    try:
        return rows.filter("id > 3").count()
    finally:
        socket.socket.sendall = send
        gc.enable()


def in_a_thread(rows):
    threading.Thread(target=rows.unpersist).start()


nothing = count_of_96(lambda rows: None)
at_once = count_of_96(lambda rows: rows.unpersist())
threaded = count_of_96(in_a_thread)
session.stop()
print("pyspark", pyspark.__version__, "counts: nothing unpersisted", nothing, "at once", at_once, "in a thread", threaded)
sys.exit(not (nothing == 96 and at_once == 10 and threaded == 96))
PYTHON
