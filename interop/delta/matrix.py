"""Runs the matrix: every case made by each, then read and changed by the others."""
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

import cases
import made_by_rs
from engines import DeltaRs, Here, Refused, Spark, ordered


@dataclass
class Table:
    """A table of a case, as each engine names it; second is what {u} stands for."""

    here: str
    path: Path
    second: "Table" = None

    @property
    def spark(self):
        return f"delta.`{self.path}`"

    def fill(self, statement, engine):
        t, u = (self.here, self.second and self.second.here) if engine == "here" else (self.spark, self.second and self.second.spark)
        return statement.format(t=t, u=u, path=self.path, parquet="{parquet}")


def changes(case, columns, base, merge=True):
    """INSERT, UPDATE, DELETE, MERGE and OPTIMIZE with values of base."""
    rest = ", ".join("`" + n.replace("`", "``") + "`" for n in inserted(case, columns) if n != "id")
    rest = rest.replace("{", "{{").replace("}", "}}")
    out = [
        f"INSERT INTO {{t}} (id, {rest}) SELECT {base}L, {rest} FROM {{t}} WHERE id = 1",
        f"UPDATE {{t}} SET v = 'changed {base}' WHERE id = 2",
        f"DELETE FROM {{t}} WHERE id = {doomed(base)}",
    ]
    if merge:
        out.append(f"MERGE INTO {{t}} t USING (SELECT 1L AS id UNION ALL SELECT {base + 1}L) s ON t.id = s.id"
                   f" WHEN MATCHED THEN UPDATE SET v = 'merged {base}' WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, 'merged {base}')")
    return out + ["OPTIMIZE {t}"]


def inserted(case, columns):
    """The columns that INSERT names."""
    return case.cols or [n for n, _ in columns]


def doomed(base):
    """The id that DELETE takes out: what the changes before have put in."""
    return base - 100 if base > 100 else 3


def expected(case, before, base, merge=True):
    """The columns that INSERT names, after changes."""
    columns, rows = before
    names = inserted(case, columns)
    at = [i for i, (n, _) in enumerate(columns) if n in names]
    columns = [columns[i] for i in at]
    rows = [[r[i] for i in at] for r in rows]
    key, v = (next(i for i, c in enumerate(columns) if c[0] == n) for n in ("id", "v"))
    copy = next(list(r) for r in rows if r[key] == "1")
    copy[key] = str(base)
    rows.append(copy)
    for r in rows:
        if r[key] == "2":
            r[v] = f"changed {base}"
        elif r[key] == "1" and merge:
            r[v] = f"merged {base}"
    rows = [r for r in rows if r[key] != str(doomed(base))]
    if merge:
        rows.append([str(base + 1) if i == key else f"merged {base}" if i == v else None for i in range(len(columns))])
    return columns, ordered(rows)


class Differs(Exception):
    """Two readers gave other rows."""


def same(what, ours, theirs, skip=(), types=True):
    """Compares (columns, rows) of two readers; without types only names."""
    (oc, orows), (tc, trows) = ours, theirs
    left, right = ([c if types else c[0] for c in x] for x in (oc, tc))
    if left != right:
        raise Differs(f"{what}: columns {left} and {right}")
    at = [i for i, c in enumerate(oc) if c[0] in skip]
    left, right = ([[v for i, v in enumerate(r) if i not in at] for r in x] for x in (orows, trows))
    if left != right:
        a = [r for r in left if r not in right][:2]
        b = [r for r in right if r not in left][:2]
        raise Differs(f"{what}: {len(left)} and {len(right)} rows; only one side has {a} and {b}")


class Run:
    """One run over all cases; results are {(case, cell): None or what went wrong}.

    Without a Spark session the cells that need one are left out.
    """

    def __init__(self, server, spark, tick, only=None):
        self.tick, self.server, self.root = tick, server, spark
        self.cases = [c for c in cases.CASES if not only or c.key in only]
        self.makers = {k: f for k, f in made_by_rs.MAKERS.items() if not only or k in only}
        self.rs = DeltaRs()
        self.results = {}
        self.tables = {}
        self.spark = spark and Spark(spark)
        self.here = None

    def cell(self, case, cell, work):
        """Runs work for a cell of the matrix; tells whether it went well."""
        try:
            work()
            self.results[case, cell] = None
        except (Refused, Differs) as e:
            self.results[case, cell] = str(e)
            self.tick(f"{case}: {cell}: {e}")
        return self.results[case, cell] is None

    # Making the tables.

    def place(self):
        """Empty tables here for what the others make."""
        here = Here(self.server)
        here.sql("CREATE SCHEMA IF NOT EXISTS default")
        names = [f"d_{k}" for k in self.makers]
        if self.root:
            names += [f"s_{c.key}{second}" for c in self.cases for second in ("", "_u") if not second or "{u}" in c.make[0]]
        for n in names:
            here.sql(f"CREATE TABLE {n} (placeholder INT) USING DELTA")

    def make_here(self):
        for c in self.cases:
            here = Here(self.server)
            t = Table(f"h_{c.key}", self.server.dir / c.key, Table(f"h_{c.key}_u", Path("/nowhere")))

            def statements():
                self.make(c, t, here)
                if t.path.exists():  # converted: here tables need a name
                    here.run(f"CREATE TABLE {{t}} USING DELTA LOCATION '{t.path}'", t)

            self.cell(c.key, "here writes", statements)

    def make(self, c, t, engine):
        for s in c.make:
            if s == "{parquet}":
                t.path.mkdir()
                pyarrow.parquet.write_table(made_by_rs.FIRST, t.path / "part.parquet")
            else:
                engine.run(s, t)

    def locate(self):
        """The folders of all tables; those of the others are emptied."""
        at = {n.rsplit(".", 1)[-1]: Path(p) for n, p in self.server.tables().items()}
        for n, p in at.items():
            self.tables[n] = Table(n, p)
        for n, t in self.tables.items():
            t.second = self.tables.get(n + "_u")

    def make_there(self):
        for n, t in self.tables.items():
            if n[:2] in ("s_", "d_"):
                shutil.rmtree(t.path)
        if self.spark:
            self.together(self.make_by_spark, self.cases)
        for k, make in self.makers.items():
            self.cell(k, "rs: writes", lambda: self.made(make, self.tables[f"d_{k}"]))

    def together(self, work, items):
        """Several at a time: each waits more than it computes."""
        with ThreadPoolExecutor(3) as pool:
            for done in [pool.submit(work, i) for i in items]:
                done.result()

    def make_by_spark(self, c):
        t = self.tables[f"s_{c.key}"]
        session = Spark(self.root.newSession())
        self.cell(c.key, "Spark makes", lambda: self.make(c, t, session))

    def made(self, make, t):
        try:
            make(str(t.path))
        except BaseException as e:  # noqa: BLE001 - a panic of Rust is no Exception
            raise Refused(str(e)[:900]) from e

    # Reading and changing.

    def check_all(self):
        self.here = Here(self.server)
        self.together(self.check_case, self.cases)
        self.together(self.check_made_by_rs, self.makers)

    def check_case(self, c):
        begun = time.monotonic()
        made = self.results[c.key, "here writes"] is None and self.written_here(c, self.tables[f"h_{c.key}"])
        there = self.results.get((c.key, "Spark makes"), "") is None and self.written_by_spark(c, self.tables[f"s_{c.key}"])
        if made and there:
            self.cell(c.key, "same outcome", lambda: same("making", made, there, c.unequal))
        if self.spark:
            for made_by in "hs":
                if t := self.tables.get(f"{made_by}_{c.key}"):  # none where making it failed
                    self.spark.forget(t)
        self.tick(f"{c.key}: {time.monotonic() - begun:.1f} s")

    def check_made_by_rs(self, k):
        if self.results[k, "rs: writes"] is None:
            self.written_by_rs(k, self.tables[f"d_{k}"])

    def spark_reads(self, t, want):
        if self.spark:
            same("here and Spark", want, self.spark.rows(t))

    def rs_reads(self, t, want):
        same("here and delta-rs", want, self.rs.rows(t), types=False)

    def written_here(self, c, t):
        """Tells the rows, None where they cannot be read."""
        got = []
        if not self.cell(c.key, "here reads its own", lambda: got.append(self.here.rows(t))):
            return None
        ours = got[0]
        rs = self.cell(c.key, "rs reads ours", lambda: self.rs_reads(t, ours))
        if self.spark:
            self.cell(c.key, "Spark reads ours", lambda: self.spark_reads(t, ours))
            self.around(c, t, "ours", rs)
            if c.refused:
                self.cell(c.key, "Spark keeps our rules", lambda: self.refuses(self.spark.run, c, t))
        if not c.changed:
            return ours
        if self.spark:
            went = self.cell(c.key, "Spark writes ours", lambda: self.spark_changes(c, t, ours, rs))
        else:
            went = self.cell(c.key, "here changes its own", lambda: self.here_changes(c, t, ours, rs))
        if went and rs:
            self.cell(c.key, "rs writes ours", lambda: self.rs_changes(c, t))
        return ours

    def written_by_spark(self, c, t):
        theirs = self.spark.rows(t)
        rs = self.cell(c.key, "rs reads Spark's", lambda: self.rs_reads(t, theirs))
        if not self.cell(c.key, "here reads", lambda: same("here and Spark", self.here.rows(t), theirs)):
            return theirs
        self.around(c, t, "Spark's", rs)
        if c.refused:
            self.cell(c.key, "here keeps rules", lambda: self.refuses(self.here.run, c, t))
        if c.changed and self.cell(c.key, "here changes", lambda: self.here_changes(c, t, theirs, rs)) and rs:
            self.cell(c.key, "rs writes Spark's", lambda: self.rs_changes(c, t))
        return theirs

    def written_by_rs(self, k, t):
        case = cases.Case(k, k, [])
        got = []

        def read():
            got.append(self.here.rows(t))
            self.spark_reads(t, got[0])
            self.rs_reads(t, got[0])

        if not self.cell(k, "rs: here reads", read):
            return
        if k == "feed":
            self.cell(k, "rs: feed", lambda: self.rs_feed(t, 0))
        if k != "append_only" and self.cell(k, "rs: here changes", lambda: self.here_changes(case, t, got[0], True)):
            self.cell(k, "rs: rs writes on", lambda: self.rs_changes(case, t))

    def around(self, c, t, whose, rs):
        """The history, older versions, and the change feed."""
        theirs, times = [], {}

        def history():
            got, at = self.spark.history(t)
            theirs.extend(got)
            times.update(at)
            if self.here.history(t) != got:
                raise Differs(f"here {self.here.history(t)}, Spark {got}")

        self.cell(c.key, f"history of {whose}", history)
        if theirs and c.travel:
            self.cell(c.key, f"travel in {whose}", lambda: self.same_past(t, theirs, times, rs))
        if c.feed >= 0:
            self.cell(c.key, f"feed of {whose}", lambda: self.same_feed(t, c.feed))
            self.cell(c.key, f"rs feed of {whose}", lambda: self.rs_feed(t, c.feed))

    def same_past(self, t, history, times, rs):
        versions = sorted(v for v, _ in history)
        for v in {versions[len(versions) // 2], max(versions[0], versions[-1] - 1)}:
            ours = self.here.rows(t, f" VERSION AS OF {v}")
            same(f"version {v}", ours, self.spark.rows(t, f" VERSION AS OF {v}"))
            if rs and ours[0]:
                same(f"version {v}: here and delta-rs", ours, self.rs.rows(t, version=v), types=False)
        at = f" TIMESTAMP AS OF '{times[versions[len(versions) // 2]]}'"
        same(at, self.here.rows(t, at), self.spark.rows(t, at))

    def same_feed(self, t, first):
        ours, theirs = self.here.feed(t, first), self.spark.feed(t, first)
        same("here and Spark", ([(n, "") for n in ours[0]], ours[1]), ([(n, "") for n in theirs[0]], theirs[1]))

    def rs_feed(self, t, first):
        ours, theirs = self.here.feed(t, first), self.rs.feed(t, first)
        same("here and delta-rs", ([(n, "") for n in ours[0]], ours[1]), ([(n, "") for n in theirs[0]], theirs[1]))

    def refuses(self, run, c, t):
        statement = f"UPDATE {{t}} SET {c.refused[0]} = {c.refused[1]} WHERE id = 2"
        try:
            run(statement, t)
        except Refused:
            return
        raise Differs(f"not refused: {statement}")

    def spark_changes(self, c, t, before, rs):
        for s in changes(c, before[0], 100, merge=False):
            self.spark.run(s, t)
        self.spark.checkpoint(t)
        self.changed(c, t, expected(c, before, 100, merge=False), rs)

    def here_changes(self, c, t, before, rs):
        for s in changes(c, before[0], 100):
            self.here.run(s, t)
        self.changed(c, t, expected(c, before, 100), rs)

    def rs_changes(self, c, t):
        before = self.here.rows(t)
        self.rs.change(t, 200, c.cols)
        self.changed(c, t, expected(c, before, 200), True)

    def changed(self, c, t, want, rs):
        """All readers give what the changes are to leave."""
        ours = self.here.rows(t)
        names = [n for n, _ in want[0]]
        at = [i for i, (n, _) in enumerate(ours[0]) if n in names]
        same("after changes: here and what was to be", ([ours[0][i] for i in at], ordered([r[i] for i in at] for r in ours[1])), want)
        self.spark_reads(t, ours)
        if rs:
            self.rs_reads(t, ours)
