"""Other readers of Delta give the rows that `marisma sql` gives."""
import datetime
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from marisma import REPO, Server, text_rows

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    """The example plant after some dirty messages of every kind of machine, at rest."""
    s = Server(REPO / "examples" / "plant", tmp_path_factory.mktemp("readers"))
    s.start()
    s.run("simulate", "--history", "10m", "--count", "2", "--interval", "1s", "--seed", "7")
    s.run("pipeline", "run")
    s.run("pipeline", "run")
    yield s
    s.stop()


def as_text(value, kind):
    """The text of Spark's CAST to STRING; floats stay numbers."""
    if value is None:
        return None
    if pa.types.is_timestamp(kind):
        t = value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f").rstrip("0").rstrip(".")
        return t
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return value.decode("utf-8", "replace")
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return "[" + ", ".join("null" if v is None else str(as_text(v, kind.value_type)) for v in value) + "]"
    if pa.types.is_struct(kind):
        return "{" + ", ".join("null" if value[f.name] is None else str(as_text(value[f.name], f.type)) for f in kind) + "}"
    if pa.types.is_boolean(kind):
        return "true" if value else "false"
    if pa.types.is_floating(kind):
        return value
    return str(value)


def sort(rows):
    return sorted(rows, key=lambda r: [("" if v is None else str(v), v is None) for v in r])


@pytest.mark.smoke
def test_deltalake_reads_every_table(plant):
    tables = plant.tables()
    assert len(tables) >= 6
    for name, path in tables.items():
        t = DeltaTable(path).to_pyarrow_table()
        kinds = [f.type for f in t.schema]
        theirs = sort([[as_text(v, k) for v, k in zip(r.values(), kinds)] for r in t.to_pylist()])
        columns, rows = text_rows(plant, f"SELECT * FROM {name}")
        assert [c["name"] for c in columns] == t.schema.names, name
        ours = sort([[float(v) if v is not None and pa.types.is_floating(k) else v for v, k in zip(r, kinds)] for r in rows])
        assert ours == theirs, name
        print(f"{name}: {len(ours)} rows equal, version {DeltaTable(path).version()}")


@pytest.mark.spark
def test_spark_reads_every_table(plant, tmp_path):
    tables = plant.tables()
    out = tmp_path / "rows.json"
    p = subprocess.run([sys.executable, HERE / "spark_read.py", out, *(f"{n}={d}" for n, d in tables.items())],
                       capture_output=True, text=True, timeout=900, env={**os.environ, "TZ": "UTC"})
    assert p.returncode == 0, p.stderr[-4000:]
    import json
    theirs = json.loads(out.read_text())
    for name in tables:
        columns, rows = text_rows(plant, f"SELECT * FROM {name}")
        assert [[c["name"], c["type"]] for c in columns] == theirs[name]["columns"], name
        assert sort(rows) == sort(theirs[name]["rows"]), name
        print(f"{name}: {len(rows)} rows equal")
