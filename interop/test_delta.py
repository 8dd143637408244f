"""Tables that other writers made are read with the rows that they read themselves."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from marisma import REPO

HERE = Path(__file__).resolve().parent / "delta"


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """The project's own Delta library as a program."""
    binary = tmp_path_factory.mktemp("bin") / "readmarisma"
    subprocess.run(["go", "build", "-o", binary, "./interop/delta/readmarisma"], cwd=REPO, check=True)
    return binary


def run(*command):
    p = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=600, env={**os.environ, "TZ": "UTC"})
    assert p.returncode == 0, p.stderr[-3000:]
    return [json.loads(line) for line in p.stdout.splitlines() if line.startswith("{")]


def same(ours, theirs):
    drop = ("reader", "files", "seconds", "rss")
    assert {k: v for k, v in ours.items() if k not in drop} == {k: v for k, v in theirs.items() if k not in drop}


def test_table_of_delta_rs(reader, tmp_path):
    run(sys.executable, HERE / "write_deltalake.py", tmp_path / "t")
    theirs = run(sys.executable, HERE / "read_deltalake.py", tmp_path / "t")[-1]
    same(run(reader, tmp_path / "t")[-1], theirs)
    print(theirs)


@pytest.mark.spark
def test_table_of_spark(reader, tmp_path):
    run(sys.executable, HERE / "write_spark.py", tmp_path / "t")
    theirs = run(sys.executable, HERE / "read_spark.py", tmp_path / "t")[-1]
    same(run(reader, tmp_path / "t")[-1], theirs)
    print(theirs)
