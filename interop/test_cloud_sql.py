"""Statements on tables in Azurite and in moto's S3, beside delta-rs: LOCATION, paths, every operation, errors, the copies' bound."""
import json
import os
import subprocess
import threading
import urllib.request
from pathlib import Path

import pyarrow
import pytest
from deltalake import DeltaTable, QueryBuilder, write_deltalake

from marisma import BIN, Server
from test_store import AZURITE, KEY, MOTO, server  # noqa: F401 - a fixture
from test_concurrent import COMMITS, COUNT, ROWS, counted, counted_by_delta_rs, delta_rs

CACHE = 256 << 10
"""What local copies of one address may take."""


class Place:
    """A folder of a store: addresses for statements and for delta-rs, and the environment that opens it."""

    def __init__(self, name, paths, root, theirs, options, env):
        self.name, self.paths, self.root, self.theirs, self.options, self.env = name, paths, root, theirs, options, env


def make_container(endpoint, *names):
    """Makes containers by the project's own program for it."""
    subprocess.run(["go", "run", "./interop/place/make", *[f"{endpoint}/{n}" for n in names]], cwd=BIN.parent.parent, check=True,
                   env={**os.environ, "AZURE_STORAGE_KEY": KEY})


@pytest.fixture
def azure(server):  # noqa: F811
    port = server(AZURITE, "--blobPort", "PORT", "--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry")
    endpoint = f"http://127.0.0.1:{port}/devstoreaccount1"
    make_container(endpoint, "lake", "other")
    root = "abfss://lake@devstoreaccount1.dfs.core.windows.net/warehouse"
    return Place("azure", [root, "az://other/a b/ü", "az://missing"], root, "az://lake/warehouse", {
        "azure_storage_account_name": "devstoreaccount1", "azure_storage_account_key": KEY, "azure_storage_endpoint": endpoint, "azure_allow_http": "true",
    }, {"AZURE_STORAGE_ACCOUNT": "devstoreaccount1", "AZURE_STORAGE_ENDPOINT": endpoint, "AZURE_STORAGE_KEY": KEY})


@pytest.fixture
def s3(server):  # noqa: F811
    port = server(MOTO, "-p", "PORT")
    endpoint = f"http://127.0.0.1:{port}"
    urllib.request.urlopen(urllib.request.Request(endpoint + "/lake", method="PUT")).close()
    env = {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
    return Place("s3", ["s3://lake/warehouse", "s3://lake/a b/ü", "s3://missing"], "s3://lake/warehouse", "s3://lake/warehouse", {
        "aws_access_key_id": "key", "aws_secret_access_key": "secret", "aws_region": "us-east-1", "aws_endpoint_url": endpoint, "aws_allow_http": "true",
        "aws_conditional_put": "etag",
    }, env)


class Project:
    """Starts servers whose marisma.yml lists a place's addresses."""

    def __init__(self, folder):
        self.folder, self.running, self.made = Path(folder), None, 0

    def start(self, place, cache=CACHE, **env):
        self.stop()
        source = self.folder / f"source{self.made}"
        self.made += 1
        source.mkdir()
        (source / "databricks.yml").write_text("bundle:\n  name: cloud\n")
        (source / "marisma.yml").write_text(
            f"listeners: {{http: '127.0.0.1:0', mqtt: 'off', mqtts: 'off'}}\ncache: {cache >> 10}KiB\npaths:\n" + "".join(f"  - {json.dumps(p)}\n" for p in place.paths))
        to = self.folder / f"run{self.made}"
        to.mkdir()
        self.running = Server(source, to, mqtts="off")
        self.env = {**place.env, **env}
        self.up()
        self.run("CREATE SCHEMA IF NOT EXISTS main.default")
        return self

    def up(self):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "AZURE_"))}
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update({**clean, **self.env})
        try:
            self.running.start()
        finally:
            os.environ.clear()
            os.environ.update(before)

    def stop(self):
        if self.running:
            self.running.stop()
            self.running = None

    def run(self, *statements):
        """Runs statements; the rows of the last as lists."""
        for s in statements:
            rows = [list(r.values()) for r in self.running.sql(s) or []] if s.split()[0] in ROWED else self.running.run("sql", "-e", s)
        return rows

    def refused(self, statement, *words):
        p = subprocess.run([BIN, "sql", "-e", statement, "-C", self.running.dir], capture_output=True, text=True, timeout=120)
        assert p.returncode != 0 and all(w in p.stderr for w in words), p.stdout + p.stderr
        assert KEY not in p.stderr and "INTERNAL_ERROR" not in p.stderr, p.stderr

    def copies(self):
        """Bytes of the local copies, by folder."""
        return [sum(f.stat().st_size for f in d.iterdir()) for d in (self.running.dir / ".marisma" / "cache").iterdir()]


ROWED = {"SELECT", "DESCRIBE", "SHOW", "OPTIMIZE", "RESTORE", "VACUUM", "UPDATE", "DELETE", "MERGE"}


@pytest.fixture
def project(tmp_path):
    p = Project(tmp_path)
    yield p
    p.stop()


def theirs(place, name, version=None):
    """A table's rows as delta-rs reads them."""
    t = DeltaTable(f"{place.theirs}/{name}", version=version, storage_options=place.options)
    t = pyarrow.table(QueryBuilder().register("t", t).execute("SELECT * FROM t ORDER BY id").read_all())
    return [list(r.values()) for r in t.to_pylist()]


def rows(project, table, of="id, name, p"):
    return project.run(f"SELECT {of} FROM {table} ORDER BY id")


def operations(project, place):
    """Every statement about a table at a LOCATION; delta-rs reads each version."""
    at = f"{place.root}/t"
    p = project.start(place)
    p.run(f"CREATE TABLE t (id BIGINT, name STRING, p STRING) PARTITIONED BY (p) LOCATION '{at}' TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')",
          "INSERT INTO t VALUES (1, 'a', 'x'), (2, 'b', 'y y/ü'), (3, 'c', NULL)")
    first = [[1, "a", "x"], [2, "b", "y y/ü"], [3, "c", None]]
    assert rows(p, "t") == theirs(place, "t") == first
    assert p.run("UPDATE t SET name = 'u' WHERE id = 2") == [[1]]
    assert p.run("DELETE FROM t WHERE id = 3") == [[1]]
    assert p.run("MERGE INTO t USING (SELECT * FROM VALUES (1, 'm', 'x'), (9, 'n', 'z') AS v(id, name, p)) s ON t.id = s.id "
                 "WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT *") == [[2, 1, 0, 1]]
    changed = [[1, "m", "x"], [2, "u", "y y/ü"], [9, "n", "z"]]
    assert rows(p, "t") == rows(p, f"delta.`{at}`") == theirs(place, "t") == changed
    assert rows(p, "t VERSION AS OF 1") == theirs(place, "t", 1) == rows(p, f"delta.`{at}@v1`") == first
    feed = p.run("SELECT id, _change_type, _commit_version FROM table_changes('t', 1) ORDER BY _commit_version, id, _change_type")
    assert feed == [[1, "insert", 1], [2, "insert", 1], [3, "insert", 1], [2, "update_postimage", 2], [2, "update_preimage", 2],
                    [3, "delete", 3], [1, "update_postimage", 4], [1, "update_preimage", 4], [9, "insert", 4]]
    assert p.run(f"SELECT count(*) FROM table_changes_by_path('{at}', 1)") == [[9]]

    # delta-rs writes; what it wrote is read, changed, and put together.
    more = pyarrow.table({"id": pyarrow.array(range(100, 140), pyarrow.int64()), "name": ["d"] * 40, "p": ["x"] * 40})
    write_deltalake(f"{place.theirs}/t", more, mode="append", storage_options=place.options)
    assert p.run("SELECT count(*) FROM t") == [[43]]
    DeltaTable(f"{place.theirs}/t", storage_options=place.options).delete("id >= 120")
    p.run("UPDATE t SET name = concat(name, '!') WHERE p = 'x'")
    assert rows(p, "t") == theirs(place, "t") and p.run("SELECT count(*) FROM t WHERE name = 'd!'") == [[20]]
    p.run("INSERT INTO t VALUES (4, 'd', 'x')", "OPTIMIZE t")
    assert p.run("SELECT count(DISTINCT _metadata.file_path), bool_and(_metadata.file_path LIKE '%.parquet') FROM t WHERE p = 'x'") == [[1, True]]
    assert p.run(f"SELECT DISTINCT startswith(_metadata.file_path, '{at}/p=') FROM t") == [[True]]
    assert len(p.run("RESTORE TABLE t TO VERSION AS OF 1")) == 1 and rows(p, "t") == theirs(place, "t") == first
    p.run("ALTER TABLE t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')", "DELETE FROM t WHERE id = 3",
          "INSERT INTO t VALUES (5, 'e', 'x'), (6, 'f', 'x')", "DELETE FROM t WHERE id = 5")
    assert rows(p, "t") == theirs(place, "t") == [[1, "a", "x"], [2, "b", "y y/ü"], [6, "f", "x"]]
    p.run("VACUUM t", "ALTER TABLE t ADD COLUMN more INT", "INSERT INTO t VALUES (7, 'g', 'x', 1)")
    assert theirs(place, "t")[-1] == [7, "g", "x", 1]

    detail = p.running.sql("DESCRIBE DETAIL t")[0]
    assert detail["location"] == at and detail["name"] == "main.default.t"
    assert f"LOCATION '{at}'" in p.run("SHOW CREATE TABLE t")[0][0]
    assert p.run("DESCRIBE HISTORY t LIMIT 1")[0][0] == len(p.run("DESCRIBE HISTORY t")) - 1
    p.run("DROP TABLE t")
    p.refused("SELECT * FROM t", "TABLE_OR_VIEW_NOT_FOUND")
    assert len(rows(p, f"delta.`{at}`")) == len(theirs(place, "t")) == 4
    p.run(f"CREATE TABLE again LOCATION '{at}'")
    assert len(rows(p, "again")) == 4

    # A folder with blanks and letters of others, by its path alone.
    odd = f"{place.paths[1]}/t 1"
    p.run(f"CREATE TABLE delta.`{odd}` (id INT, p STRING) PARTITIONED BY (p)", f"INSERT INTO delta.`{odd}` VALUES (1, 'a=b%'), (2, 'ü /')")
    assert p.run(f"SELECT id, p FROM delta.`{odd}` ORDER BY id") == [[1, "a=b%"], [2, "ü /"]]
    p.run(f"CREATE OR REPLACE TABLE delta.`{odd}` AS SELECT id, id + 1 AS n FROM range(3)")
    assert p.run(f"SELECT sum(n) FROM delta.`{odd}`") == [[6]]


def bounded(project, place):
    """Files of more than the copies may take, a table of more than all of them."""
    p = project.start(place)
    p.run(f"CREATE TABLE big LOCATION '{place.root}/big' AS SELECT id, repeat(uuid(), 20) AS text FROM range(1500)")
    for i in range(1, 12):
        p.run(f"INSERT INTO big SELECT id + {1500 * i}, repeat(uuid(), 20) FROM range(1500)")
        assert p.run(f"SELECT count(*), min(length(text)) FROM big WHERE id >= {1500 * i}") == [[1500, 720]]
    assert max(p.copies()) <= CACHE and sum(p.copies()) > 0
    assert p.run("SELECT count(*) FROM big") == [[18000]]  # the log knows
    p.refused("SELECT max(text) FROM big", "CLOUD_PROVIDER_ERROR", f"the bound is {CACHE}", "`cache` in marisma.yml")
    p.refused("UPDATE big SET text = 'short' WHERE text LIKE 'x%'", "CLOUD_PROVIDER_ERROR", "`cache` in marisma.yml")
    assert max(p.copies()) <= CACHE
    p.start(place, cache=64 * CACHE)
    p.run(f"CREATE TABLE big LOCATION '{place.root}/big'")
    assert p.run("SELECT count(*), count(DISTINCT text), sum(id) FROM big") == [[18000, 18000, sum(range(18000))]]
    assert p.run("UPDATE big SET text = 'short' WHERE id % 1500 = 7") == [[12]]
    assert p.run("SELECT count(*) FROM big WHERE text = 'short'") == [[12]]
    before = sum(p.copies())
    p.running.stop()
    p.up()  # takes the copies over
    assert CACHE < before == sum(p.copies()) <= 64 * CACHE


def refusals(project, place, wrong, missing):
    """Each error says what, where and what to do, and no secret."""
    at = f"{place.root}/none"
    p = project.start(place)
    for statement in ("SELECT * FROM delta.`{}/x`", "CREATE TABLE x (id INT) LOCATION '{}/x'", "CREATE TABLE delta.`{}/x` (id INT)"):
        p.refused(statement.format(place.paths[2]), "PATH_NOT_FOUND", "no such container", "missing", "make it first")
    p.refused(f"SELECT * FROM delta.`{at}`", "PATH_NOT_FOUND", at, "paths")
    p.refused(f"CREATE TABLE x (id INT) LOCATION '{place.root[:-1]}/x'", "PATH_NOT_FOUND", "marisma.yml")
    p.run(f"CREATE TABLE delta.`{place.root}/there` (id INT)")
    for env, words in ((wrong, ("UNAUTHORIZED_ACCESS", "access denied", "environment of `marisma up`")),
                       (missing, ("CLOUD_PROVIDER_ERROR", "cannot connect", "network"))):
        p.start(place, **env)
        p.refused(f"SELECT * FROM delta.`{place.root}/there`", *words)
        p.refused(f"CREATE TABLE x (id INT) LOCATION '{place.root}/x'", *words)
    p.refused("SELECT * FROM x", "TABLE_OR_VIEW_NOT_FOUND")


def test_operations_on_azure(project, azure):
    operations(project, azure)


def test_operations_on_s3(project, s3):
    operations(project, s3)


def test_copies_are_bounded(project, azure):
    bounded(project, azure)


def test_refusals_of_azure(project, azure):
    refusals(project, azure, {"AZURE_STORAGE_KEY": "d3Jvbmcga2V5IG9mIHRoaXMgYWNjb3VudA=="},
             {"AZURE_STORAGE_ENDPOINT": "http://127.0.0.1:9/devstoreaccount1"})


def test_refusals_of_s3(project, s3, server):  # noqa: F811
    port = server("env", "INITIAL_NO_AUTH_ACTION_COUNT=0", MOTO, "-p", "PORT")
    refusals(project, s3, {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})


def test_others_write_meanwhile(project, azure):
    """Statements, and delta-rs from processes of its own, append, merge and compact one table."""
    at = f"{azure.root}/busy"
    p = project.start(azure)
    p.run(f"CREATE TABLE busy (writer STRING, n BIGINT, rounds BIGINT) LOCATION '{at}'", "INSERT INTO busy VALUES ('merged', 0, 0)")
    errors = []

    def merge():
        """Rows that others added meanwhile may match, so that a MERGE that lost has to look again."""
        while True:
            try:
                return p.run("MERGE INTO busy t USING (SELECT 'merged' AS writer) s ON t.writer = s.writer WHEN MATCHED THEN UPDATE SET rounds = t.rounds + 1")
            except AssertionError as e:
                assert "DELTA_CONCURRENT_WRITE" in str(e), e

    def ours(i):
        try:
            for c in range(COMMITS):
                p.run(f"INSERT INTO busy SELECT 'here {i}', id + {c * ROWS}, 1 FROM range({ROWS})")
                if i == 0:
                    merge()
                if i == 1 and c % 3 == 2:
                    p.run("OPTIMIZE busy")
        except BaseException as e:  # noqa: BLE001 - told below
            errors.append(e)

    threads = [threading.Thread(target=ours, args=(i,)) for i in range(3)]
    threads += [threading.Thread(target=delta_rs, args=(f"{azure.theirs}/busy", f"delta-rs {i}", azure.options)) for i in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors, errors
    each = {"rows": COMMITS * ROWS, "doubled": 0, "rounds": COMMITS * ROWS}
    want = {f"{w} {i}": each for w, k in (("here", 3), ("delta-rs", 2)) for i in range(k)} | {"merged": {"rows": 1, "doubled": 0, "rounds": COMMITS}}
    assert counted(p.run(COUNT.format("busy"))) == want
    assert counted_by_delta_rs(f"{azure.theirs}/busy", azure.options) == want
