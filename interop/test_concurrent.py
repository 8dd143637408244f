"""Many writers of three processes on one table, delta-rs among them on disk: no row is lost or doubled."""
import json
import os
import subprocess
import threading
import time

import pyarrow
import pytest
from deltalake import CommitProperties, DeltaTable, QueryBuilder, write_deltalake
from deltalake.exceptions import CommitFailedError

from marisma import REPO
from test_store import AZURITE, KEY, server  # noqa: F401 - a fixture

# Sixteen writers; one process merges besides, another compacts.
PROCESSES = [("-first", "0", "-writers", "6"), ("-first", "6", "-writers", "5", "-merges", "8"), ("-first", "11", "-writers", "5", "-optimize")]
WRITERS, COMMITS, MERGES, ROWS = 16, 8, 8, 20
THEIRS = 3  # writers of delta-rs


@pytest.fixture(scope="module")
def concurrent(tmp_path_factory):
    """Runs a verb of the Go program; several at a time where several lists of flags are given."""
    binary = tmp_path_factory.mktemp("bin") / "concurrent"
    subprocess.run(["go", "build", "-o", binary, "./interop/concurrent"], cwd=REPO, check=True)

    def run(verb, address, *flags, meanwhile=(), **env):
        running = [subprocess.Popen([binary, verb, str(address), *f], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                    env={**os.environ, **env}) for f in flags or [()]]
        threads = [threading.Thread(target=m) for m in meanwhile]
        for t in threads:
            t.start()
        out = [p.communicate(timeout=240) for p in running]
        for t in threads:
            t.join()
        for p, (_, err) in zip(running, out):
            assert p.returncode == 0, err[-3000:]
        return [json.loads(o) for o, _ in out if o]

    return run


def delta_rs(path, name, options=None):
    """A writer of delta-rs, which takes an append for a reader of what a MERGE
    removed meanwhile, and so has to try again."""
    i = 0
    while i < COMMITS:
        rows = pyarrow.table({"writer": [name] * ROWS, "n": pyarrow.array(range(i * ROWS, (i + 1) * ROWS), pyarrow.int64()),
                              "rounds": pyarrow.array([1] * ROWS, pyarrow.int64())})
        try:
            write_deltalake(str(path), rows, mode="append", storage_options=options, commit_properties=CommitProperties(max_commit_retries=200))
        except CommitFailedError as e:
            assert "concurrent transaction deleted data" in str(e), e
        else:
            i += 1


def check(tallies, theirs):
    """Every writer's rows are there once, and every round of MERGE counted."""
    rows = COMMITS * ROWS
    want = {f"here {i}": {"rows": rows, "doubled": 0, "rounds": rows} for i in range(WRITERS)}
    want |= {f"delta-rs {i}": {"rows": rows, "doubled": 0, "rounds": rows} for i in range(theirs)}
    want["merged"] = {"rows": ROWS, "doubled": 0, "rounds": ROWS * MERGES}
    assert tallies == want


COUNT = """SELECT writer, count(*) AS rows, count(*) - count(DISTINCT n) AS doubled, sum(rounds) AS rounds FROM {} GROUP BY writer"""


def counted(rows):
    return {r[0]: {"rows": int(r[1]), "doubled": int(r[2]), "rounds": int(r[3])} for r in rows}


def counted_by_delta_rs(path, options=None):
    table = pyarrow.table(QueryBuilder().register("t", DeltaTable(str(path), storage_options=options)).execute(COUNT.format("t")).read_all())
    return counted(zip(*(c.to_pylist() for c in table.columns)))


def tell(what, begun, done, counts):
    conflicts = sum(d["conflicts"] for d in done)
    optimizes = sum(d["optimizes"] for d in done)
    print(f"{what}: {counts['version']} versions in {time.monotonic() - begun:.1f} s, {optimizes} OPTIMIZE, {MERGES} MERGE, "
          f"{conflicts} conflicts tried again, {counts['files']} files left")


def on_disk(concurrent, path):
    concurrent("make", path)
    begun = time.monotonic()
    done = concurrent("write", path, *PROCESSES, meanwhile=[lambda i=i: delta_rs(path, f"delta-rs {i}") for i in range(THEIRS)])
    counts = concurrent("count", path)[0]
    tell("on disk", begun, done, counts)
    versions = sorted(int(n.name[:20]) for n in (path / "_delta_log").glob("*.json") if n.name[:20].isdigit())
    assert versions == list(range(len(versions))) and len(versions) == counts["version"] + 1
    assert len(versions) > (WRITERS + THEIRS) * COMMITS + MERGES
    check(counts["writers"], THEIRS)
    check(counted_by_delta_rs(path), THEIRS)


@pytest.mark.smoke
def test_processes_on_disk(concurrent, tmp_path):
    on_disk(concurrent, tmp_path / "t")


@pytest.mark.spark
def test_spark_reads_what_they_wrote(concurrent, tmp_path):
    on_disk(concurrent, tmp_path / "t")
    import spark
    session = spark.session()
    try:
        check(counted(session.sql(COUNT.format(f"delta.`{tmp_path / 't'}`")).collect()), THEIRS)
    finally:
        session.stop()


def test_processes_on_azure(concurrent, server):  # noqa: F811
    port = server(AZURITE, "--blobPort", "PORT", "--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry")
    endpoint = f"http://127.0.0.1:{port}/devstoreaccount1"
    env = {"AZURE_STORAGE_KEY": KEY}
    concurrent("make", endpoint + "/interop/t", **env)
    begun = time.monotonic()
    done = concurrent("write", endpoint + "/interop/t", *PROCESSES, **env)
    counts = concurrent("count", endpoint + "/interop/t", **env)[0]
    tell("on Azurite", begun, done, counts)
    assert counts["version"] >= WRITERS * COMMITS + MERGES
    check(counts["writers"], 0)
    check(counted_by_delta_rs("az://interop/t", {
        "azure_storage_account_name": "devstoreaccount1", "azure_storage_account_key": KEY, "azure_storage_endpoint": endpoint, "azure_allow_http": "true",
    }), 0)
