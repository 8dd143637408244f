"""Random statements, the same for a table of Spark's, one of ours, and one that both change by turns.

After each, both engines read all three tables, which must hold the same rows;
where one engine refuses a statement, the other must with the same error.
"""
import random
import re
from pathlib import Path

from engines import Refused
from matrix import Differs, Table, same

WHOLE = ("BIGINT", "INT", "SMALLINT")
WIDER = {"SMALLINT": "INT", "INT": "BIGINT", "DECIMAL(10,2)": "DECIMAL(14,4)", "DECIMAL(8,2)": "DECIMAL(12,4)"}


class Statements:
    """Makes statements that fit a table whose columns it keeps count of."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        maybe = self.rng.random
        self.columns = {
            "id": "BIGINT", "s": "STRING", "n": "INT", "d": "DOUBLE", "p": "STRING", "st": "STRUCT<a: INT, b: STRING>",
            "l": "ARRAY<INT>", "dt": "DATE", "ts": "TIMESTAMP", "dec": "DECIMAL(10,2)",
        }
        self.ids, self.added, self.constraints = 0, 0, 0
        self.mapped, self.widening, self.parted, self.fed = maybe() < .6, maybe() < .5, maybe() < .5, maybe() < .3
        self.clustered = not self.parted and maybe() < .3
        self.properties = [p for p, given in (
            (f"'delta.columnMapping.mode' = '{self.rng.choice(['name', 'id'])}'", self.mapped),
            ("'delta.enableTypeWidening' = 'true'", self.widening), ("'delta.enableChangeDataFeed' = 'true'", self.fed),
            ("'delta.enableDeletionVectors' = 'true'", maybe() < .3), ("'delta.enableRowTracking' = 'true'", maybe() < .3),
            ("'delta.checkpointPolicy' = 'v2'", maybe() < .2), ("'delta.checkpointInterval' = '3'", maybe() < .4),
        ) if given]

    def create(self):
        columns = ", ".join(f"{c} {t}" for c, t in self.columns.items())
        return (f"CREATE TABLE {{t}} ({columns}) USING delta" + (" PARTITIONED BY (p)" if self.parted else "")
                + (" CLUSTER BY (id)" if self.clustered else "")
                + (f" TBLPROPERTIES ({', '.join(self.properties)})" if self.properties else ""))

    def value(self, column, kind):
        """An expression of a column's type over the BIGINT id."""
        pick, some = self.rng.choice, self.rng.randint
        if kind == "BIGINT":
            return "id" if column == "id" else f"id * {some(1, 9)}"
        if kind in ("INT", "SMALLINT"):
            return pick([f"CAST(id % {some(2, 20)} AS {kind})", f"IF(id % 3 = 0, NULL, CAST(id % 1000 AS {kind}))"])
        if column == "p":
            return "element_at(array('a', 'b', 'c d', 'é=1/x', NULL), CAST(id % 5 AS INT) + 1)"
        if kind == "STRING":
            return pick([f"concat('v', id % {some(2, 9)})", "IF(id % 4 = 1, NULL, CAST(id AS STRING))", "repeat('x', CAST(id % 40 AS INT))"])
        if kind == "DOUBLE":
            return pick(["id / 3D", "IF(id % 7 = 0, CAST('NaN' AS DOUBLE), id * 0.5D)", "-0.0D"])
        if kind.startswith("STRUCT"):
            fields = (f.split(": ") for f in kind[len("STRUCT<"):-1].split(", "))
            x = f"named_struct({', '.join(f'{chr(39)}{n}{chr(39)}, {self.value(n, t)}' for n, t in fields)})"
            return pick([x, f"IF(id % 6 = 0, NULL, {x})"])
        if kind.startswith("ARRAY"):
            return pick(["array(CAST(id AS INT), NULL)", "IF(id % 2 = 0, array(), NULL)", "sequence(1, CAST(id % 5 AS INT) + 1)"])
        if kind == "DATE":
            return "date_add(DATE'2024-01-01', CAST(id % 400 AS INT))"
        if kind == "TIMESTAMP":
            return "timestamp_micros(id * 86399999999)"
        return f"CAST(id * 1.25 AS {kind})"

    def where(self, of=""):
        some = self.rng.randint
        column, kind = self.rng.choice([(c, t) for c, t in self.columns.items() if not t.startswith(("STRUCT", "ARRAY", "TIMESTAMP"))])
        x = f"{of}`{column}`"
        if kind in WHOLE:
            return self.rng.choice([f"{x} % {some(2, 7)} = 1", f"{x} > {some(0, 200)}", f"{x} BETWEEN {some(0, 50)} AND {some(50, 150)}", f"{x} IS NULL"])
        if kind == "STRING":
            return self.rng.choice([f"{x} = 'v1'", f"{x} LIKE 'v%'", f"{x} IS NULL", f"{x} = 'a'", f"{x} >= 'c'", f"coalesce({x}, '') <> 'b'"])
        if kind == "DOUBLE":
            return self.rng.choice([f"{x} > {some(0, 50)}", f"isnan({x})", f"{x} <= 0"])
        if kind == "DATE":
            return f"{x} >= DATE'2024-0{some(1, 9)}-01'"
        return f"{x} < {some(1, 100)}"

    def rows(self, low, high, columns=None, **given):
        columns = columns or self.columns
        values = ", ".join(f"{given.get(c) or self.value(c, self.columns[c])} AS `{c}`" for c in columns)
        return f"SELECT {values} FROM range({low}, {high})"

    def fresh(self):
        low = self.ids
        self.ids += self.rng.choice([1, 5, 40, 200])
        return low, self.ids

    def some(self):
        """Columns but id, in random order."""
        out = [c for c in self.columns if c != "id" and self.rng.random() < .4] or ["s"]
        self.rng.shuffle(out)
        return out

    def next(self):
        kinds = {self.insert: 30, self.update: 11, self.delete: 12, self.merge: 16, self.layout: 10, self.alter: 21}
        return self.rng.choices(list(kinds), list(kinds.values()))[0]()

    def insert(self):
        form = self.rng.random()
        if form < .15:
            return f"INSERT INTO {{t}} BY NAME {self.rows(*self.fresh(), columns=['id', *self.some()])}"
        if form < .25 and self.parted:
            return f"INSERT INTO {{t}} REPLACE WHERE p = 'a' {self.rows(*self.fresh(), p=chr(39) + 'a' + chr(39))}"
        if form < .3:
            return "INSERT INTO {t} (id) VALUES (NULL)"
        return f"INSERT {'OVERWRITE' if form > .95 else 'INTO'} {{t}} {self.rows(*self.fresh())}"

    def update(self):
        return f"UPDATE {{t}} SET {', '.join(f'`{c}` = {self.value(c, self.columns[c])}' for c in self.some())} WHERE {self.where()}"

    def delete(self):
        return "DELETE FROM {t}" if self.rng.random() < .05 else f"DELETE FROM {{t}} WHERE {self.where()}"

    def merge(self):
        low = max(0, self.ids - self.rng.randint(0, 100))
        high = low + self.rng.randint(1, 120)
        self.ids = max(self.ids, high)
        maybe = self.rng.random
        clauses = [c for c, given in (
            (f"WHEN MATCHED AND {self.where('t.')} THEN DELETE", maybe() < .4),
            ("WHEN MATCHED THEN UPDATE SET " + ("*" if maybe() < .4 else ", ".join(f"t.`{c}` = s.`{c}`" for c in self.some())), maybe() < .7),
            ("WHEN NOT MATCHED" + (f" AND {self.where('s.')}" if maybe() < .3 else "") + " THEN INSERT *", maybe() < .7),
            (f"WHEN NOT MATCHED BY SOURCE AND {self.where('t.')} THEN " + ("DELETE" if maybe() < .5 else "UPDATE SET t.s = 'gone'"), maybe() < .3),
        ) if given] or ["WHEN NOT MATCHED THEN INSERT *"]
        on = "t.id = s.id" + (f" AND {self.where('t.')}" if maybe() < .15 else "")
        return f"MERGE INTO {{t}} AS t USING ({self.rows(low, high)}) AS s ON {on} {' '.join(clauses)}"

    def layout(self):
        return self.rng.choice(["OPTIMIZE {t}", "OPTIMIZE {t}" if self.clustered else "OPTIMIZE {t} ZORDER BY (n, d)", "REORG TABLE {t} APPLY (PURGE)"])

    def alter(self):
        return "ALTER TABLE {t} " + self.rng.choice([self.add, self.add, self.drop, self.rename, self.widen, self.set, self.check])()

    def add(self):
        if self.rng.random() < .3 and "c: " not in self.columns["st"]:
            self.columns["st"] = self.columns["st"][:-1] + ", c: DOUBLE>"
            return "ADD COLUMNS (st.c DOUBLE)"
        self.added += 1
        self.columns[f"x{self.added}"] = kind = self.rng.choice(["INT", "STRING", "DOUBLE", "DECIMAL(8,2)", "SMALLINT"])
        return f"ADD COLUMNS (x{self.added} {kind})"

    def later(self, otherwise):
        """One of the columns that were added, or another."""
        return self.rng.choice([c for c in self.columns if c.startswith("x")] or [otherwise])

    def drop(self):
        column = self.later("dt")
        if self.mapped:
            self.columns.pop(column, None)
        return f"DROP COLUMN `{column}`"

    def rename(self):
        column = self.later("ts")
        self.added += 1
        name = f"x{self.added} y"
        if self.mapped:
            self.columns = {name if c == column else c: t for c, t in self.columns.items()}
        return f"RENAME COLUMN `{column}` TO `{name}`"

    def widen(self):
        column = self.rng.choice([c for c, t in self.columns.items() if t in WIDER] or ["n"])
        kind = WIDER.get(self.columns[column], "BIGINT")
        if self.widening:
            self.columns[column] = kind
        return f"ALTER COLUMN `{column}` TYPE {kind}"

    def set(self):
        return self.rng.choice([
            f"SET TBLPROPERTIES ('delta.enableDeletionVectors' = '{self.rng.choice(['true', 'false'])}')",
            f"SET TBLPROPERTIES ('note' = '{self.ids}')"])

    def check(self):
        self.constraints += 1
        return f"ADD CONSTRAINT c{self.constraints} CHECK (id IS NULL OR id >= 0)"


def class_of(refused):
    """The class of an engine's error."""
    found = re.match(r"\[([A-Z_0-9.]+)\]", str(refused)) or re.search(r'"code":"([A-Z_0-9.]+)"', str(refused)) or re.match(r"([A-Z_0-9.]+): ", str(refused))
    return found[1] if found else str(refused)


def refusal(engine, statement, table):
    """The class of the error that a statement ends with; None where it does not."""
    try:
        engine.run(statement, table)
    except Refused as e:
        return class_of(e)
    return None


def walk(folder, seed, steps, here, spark, tick):
    """Raises Differs where the engines part."""
    statements = Statements(seed)
    folder = Path(folder) / f"walk-{seed}"
    tables = {n: Table(f"delta.`{folder / n}`", folder / n) for n in ("here", "spark", "both")}
    turns = statements.rng
    for name, table in tables.items():
        (spark if name == "spark" else here).run(statements.create(), table)
    tick(f"seed {seed}: {statements.create().format(t='t')}")
    for n in range(steps):
        before = dict(statements.columns)
        text = statements.next()
        said = f"seed {seed}, step {n}: {text.format(t='t')}"
        tick(said[:200])
        shared = turns.choice([here, spark])
        answers = [refusal(e, text, tables[t]) for e, t in ((here, "here"), (spark, "spark"), (shared, "both"))]
        if len(set(answers)) > 1:
            raise Differs(f"{said}: refused here, by Spark and by {shared.name} with {answers}")
        if answers[0]:
            statements.columns = before
        want = spark.rows(tables["spark"])
        for reader in (here, spark):
            for name, table in tables.items():
                same(f"{said}: {reader.name} reads {name}", reader.rows(table), want)
    if statements.fed:
        feeds(tables, here, spark, seed)
    for table in tables.values():
        spark.forget(table)


def feeds(tables, here, spark, seed):
    """Compares the change feeds that both engines read of each table."""
    for name, table in tables.items():
        got = []
        for feed in (here.feed_by_path, spark.feed):
            try:
                got.append(feed(table, 0))
            except Refused as e:
                got.append(class_of(e))
        if got[0] != got[1]:
            raise Differs(f"seed {seed}: the feed of {name}: {str(got)[:600]}")
