"""The three that share a table: this project's server, Spark, and delta-rs.

Each runs statements on a table and gives its rows as sorted lists of the texts
of a CAST to STRING, so that rows of two can be compared.
"""
import json
import uuid

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder, write_deltalake

import arrow_text
from marisma import _unix


class Refused(Exception):
    """An engine did not do what it was asked."""


def ordered(rows):
    return sorted(rows, key=lambda r: [("" if v is None else str(v), v is None) for v in r])


class Here:
    """This project, by the SQL door of a running server."""

    name = "here"

    def __init__(self, server):
        self.server = server
        self.session = uuid.uuid4().hex

    def sql(self, statement):
        """(names, types, rows)."""
        body = {"statement": statement, "session": self.session}
        names, types, rows = [], [], []
        try:
            data = _unix(self.server.ready["socket"], "POST", "/api/v1/sql", json.dumps(body))
        except AssertionError as e:
            raise Refused(str(e)) from e
        for line in data.splitlines():
            o = json.loads(line)
            if "error" in o:
                raise Refused(f"{o['error'].get('code')}: {o['error'].get('message')}")
            if "columns" in o:
                names, types = [c["name"] for c in o["columns"]], [c["type"] for c in o["columns"]]
            rows += o.get("rows", [])
        return names, types, rows

    def rows(self, table, travel=""):
        names, types, rows = self.sql(f"SELECT * FROM {table.here}{travel}")
        return list(zip(names, types)), ordered(rows)

    def run(self, statement, table):
        return self.sql(table.fill(statement, self.name))

    def history(self, table):
        """(version, operation), newest first."""
        names, _, rows = self.sql(f"DESCRIBE HISTORY {table.here}")
        v, op = names.index("version"), names.index("operation")
        return [(int(r[v]), r[op]) for r in rows]

    def feed(self, table, first):
        names, _, rows = self.sql(f"SELECT * FROM table_changes('{table.here}', {first})")
        return _feed(names, rows)

    def feed_by_path(self, table, first):
        names, _, rows = self.sql(f"SELECT * FROM table_changes_by_path('{table.path}', {first})")
        return _feed(names, rows)


class Spark:
    """Spark with delta-spark, in a session of its own."""

    name = "spark"

    def __init__(self, session):
        self.session = session

    def sql(self, statement):
        try:
            frame = self.session.sql(statement)
            return [list(r) for r in frame.collect()]
        except Exception as e:  # noqa: BLE001 - whatever Spark throws is its answer
            raise Refused(" ".join(str(e).split())[:900]) from e

    def rows(self, table, travel=""):
        return self.text(f"SELECT * FROM {table.spark}{travel}")

    def text(self, query):
        """Columns with types, and the rows of a query."""
        try:
            frame = self.session.sql(query)
            columns = [(f.name, f.dataType.simpleString()) for f in frame.schema.fields]
            cast = frame.selectExpr(*("CAST(`" + n.replace("`", "``") + "` AS STRING)" for n, _ in columns))
            return columns, ordered(list(r) for r in cast.collect())
        except Exception as e:  # noqa: BLE001
            raise Refused(" ".join(str(e).split())[:900]) from e

    def run(self, statement, table):
        return self.sql(table.fill(statement, self.name))

    def history(self, table):
        """(version, operation), newest first, and the time of each version."""
        try:
            rows = self.session.sql(f"DESCRIBE HISTORY {table.spark}").selectExpr("version", "operation", "CAST(timestamp AS STRING)").collect()
        except Exception as e:  # noqa: BLE001
            raise Refused(" ".join(str(e).split())[:900]) from e
        return [(r[0], r[1]) for r in rows], {r[0]: r[2] for r in rows}

    def feed(self, table, first):
        columns, rows = self.text(f"SELECT * FROM table_changes_by_path('{table.path}', {first})")
        return _feed([n for n, _ in columns], rows)

    def checkpoint(self, table):
        jvm = self.session._jvm
        jvm.org.apache.spark.sql.delta.DeltaLog.forTable(self.session._jsparkSession, str(table.path)).checkpoint()

    def forget(self, table):
        """Gives up what Spark keeps of a table that is done with."""
        jvm = self.session._jvm
        jvm.org.apache.spark.sql.delta.DeltaLog.invalidateCache(self.session._jsparkSession, jvm.org.apache.hadoop.fs.Path(str(table.path)))


class DeltaRs:
    """deltalake, the Python face of delta-rs."""

    name = "delta-rs"

    def _open(self, table, version=None):
        try:
            return DeltaTable(str(table.path), version=version)
        except Exception as e:  # noqa: BLE001
            raise Refused(" ".join(str(e).split())[:900]) from e

    def arrow(self, table, query="SELECT * FROM t", version=None):
        try:
            batches = QueryBuilder().register("t", self._open(table, version)).execute(query).read_all()
            return pa.table(batches)
        except Refused:
            raise
        except BaseException as e:  # noqa: BLE001 - a panic of Rust is no Exception
            raise Refused(" ".join(str(e).split())[:900]) from e

    def rows(self, table, version=None):
        return _arrow_rows(self.arrow(table, version=version))

    def feed(self, table, first):
        try:
            out = pa.table(self._open(table).load_cdf(starting_version=first).read_all())
        except BaseException as e:  # noqa: BLE001
            raise Refused(" ".join(str(e).split())[:900]) from e
        columns, rows = _arrow_rows(out)
        return _feed([n for n, _ in columns], rows)

    def change(self, table, base, cols):
        """Append, UPDATE, DELETE, MERGE, OPTIMIZE, checkpoint, as Statements has them."""
        try:
            t = self._open(table)
            schema = pa.schema(t.schema().to_arrow())
            one = self.arrow(table, "SELECT * FROM t WHERE id = 1").cast(schema)
            at = one.schema.get_field_index("id")
            one = one.set_column(at, schema.field(at), pa.array([base], pa.int64()))
            write_deltalake(t, one.select(cols) if cols else one, mode="append")
            t = self._open(table)
            t.update(predicate="id = 2", updates={"v": f"'changed {base}'"})
            t.delete(f"id = {base - 100}" if base > 100 else "id = 3")
            source = pa.table({"id": pa.array([1, base + 1], pa.int64())})
            (t.merge(source, "t.id = s.id", source_alias="s", target_alias="t")
             .when_matched_update({"v": f"'merged {base}'"})
             .when_not_matched_insert({"id": "s.id", "v": f"'merged {base}'"}).execute())
            t.optimize.compact()
            t.create_checkpoint()
        except Refused:
            raise
        except BaseException as e:  # noqa: BLE001
            raise Refused(" ".join(str(e).split())[:900]) from e


def _arrow_rows(t):
    kinds = [f.type for f in t.schema]
    columns = [c.to_pylist() for c in t.columns]
    rows = [[arrow_text.text(v, k) for v, k in zip(r, kinds)] for r in zip(*columns)]
    return [(f.name, str(f.type)) for f in t.schema], ordered(rows)


def _feed(names, rows):
    """The change feed without the times, columns by name."""
    keep = sorted(i for i, n in enumerate(names) if n != "_commit_timestamp")
    keep.sort(key=lambda i: names[i])
    return [names[i] for i in keep], ordered([r[i] for i in keep] for r in rows)
