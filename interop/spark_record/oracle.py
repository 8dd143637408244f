"""A session of real Spark that answers statements."""
import logging
import os
import re
import shutil
import tempfile

from delta import configure_spark_with_delta_pip
from py4j.protocol import Py4JJavaError
from pyspark.errors.exceptions.base import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from . import encode

MAX_ROWS = 5000
# Expressions in one query. One in five raises, and then the query is worth nothing.
TOGETHER = 4
# Statements that leave their session as it was share one.
_READS = re.compile(r"\s*(SELECT|WITH|VALUES|FROM|\()", re.IGNORECASE)


class Oracle:
    """Spark with the base tables of a folder's setup.sql; current schema is lab."""

    def __init__(self, folder=None, light=False):
        """light spares the compilation of each query: right for thousands of small ones."""
        self.home = tempfile.mkdtemp(prefix="spark-record-")
        builder = (SparkSession.builder.master("local[1]").appName("record")
                   .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
                   .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
                   .config("spark.databricks.delta.snapshotPartitions", "2")
                   .config("spark.sql.shuffle.partitions", "1")
                   .config("spark.sql.session.timeZone", "UTC")
                   .config("spark.sql.scripting.enabled", "true")
                   .config("spark.sql.warehouse.dir", os.path.join(self.home, "warehouse"))
                   .config("spark.driver.memory", "2g")
                   .config("spark.ui.enabled", "false")
                   .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC -Dderby.system.home=" + self.home
                           + (" -XX:+UseSerialGC -XX:TieredStopAtLevel=1" if light else "")))
        if light:
            builder = (builder.config("spark.sql.codegen.wholeStage", "false")
                       .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
                       .config("spark.sql.ui.explainMode", "simple")
                       .config("spark.sql.debug.maxToStringFields", "1")
                       .config("spark.sql.maxPlanStringLength", "100")
                       .config("spark.sql.ui.retainedExecutions", "1"))
        self.spark = configure_spark_with_delta_pip(builder).getOrCreate()
        self.spark.sparkContext.setLogLevel("OFF")
        logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)  # every error, with its stack
        self.spark.sql("CREATE SCHEMA IF NOT EXISTS lab")
        if folder and os.path.exists(os.path.join(folder, "setup.sql")):
            self._setup(folder)
        self.shared, self.light = {}, light

    def close(self):
        self.spark.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def _setup(self, folder):
        with open(os.path.join(folder, "setup.sql"), encoding="utf-8") as f:
            for statement in f.read().split(";\n"):
                lines = [x for x in statement.split("\n") if x.strip() and not x.startswith("--")]
                if lines:
                    self.spark.sql("\n".join(lines).rstrip(";"))
        tables = os.path.join(folder, "tables")
        for name in sorted(os.listdir(tables)) if os.path.isdir(tables) else []:
            table = "lab." + name.removesuffix(".parquet")
            frame = self.spark.read.schema(self.spark.table(table).schema).parquet(os.path.join(tables, name))
            frame.write.mode("overwrite").insertInto(table)

    def session(self, conf, schema="lab"):
        s = self.spark.newSession()
        for k, v in (conf or {}).items():
            s.conf.set(k, v)
        s.sql("USE " + schema)
        return s

    def _reader(self, conf):
        key = tuple(sorted((conf or {}).items()))
        if key not in self.shared:
            self.shared[key] = s = self.session(conf)
            if self.light:
                _keep_views(s)
        return self.shared[key]

    def answer(self, case):
        """The case with its answer, in the corpus' format."""
        conf = case.get("conf")
        if "steps" in case:
            first = self.session(conf)
            first.sql("DROP SCHEMA IF EXISTS w CASCADE")
            first.sql("CREATE SCHEMA w")
            s, steps = self.session(conf, "w"), []
            for step in case["steps"]:
                for k, v in (step.get("conf") or {}).items():
                    s.conf.set(k, v)
                steps.append(step | _run(s, step["sql"], step.get("args"), step.get("ordered", False)))
            return case | {"steps": steps}
        s = self._reader(conf) if _READS.match(case["sql"]) else self.session(conf)
        return case | _run(s, case["sql"], case.get("args"), case.get("ordered", False))

    def answers(self, cases):
        """The cases with answers. Those with "expr" and "from" in place of "sql" go many in one query, where "batch" is equal."""
        out, groups = [None] * len(cases), {}
        for i, case in enumerate(cases):
            if "expr" not in case:
                out[i] = self.answer(case)
                continue
            case = dict(case)
            expr, tail, batch = case.pop("expr"), case.pop("from"), case.pop("batch", "")
            case["sql"] = f"SELECT {expr} {tail}".strip()
            s = self._reader(case.get("conf"))
            try:
                schema = s.sql(case["sql"]).schema
            except Exception as e:  # noqa: BLE001 - every failure is an answer
                out[i] = case | {"error": _error(e)}
                continue
            if len(schema.fields) != 1:
                out[i] = self.answer(case)
                continue
            groups.setdefault((s, tail, batch), []).append((i, case, expr, schema.fields[0]))
        for (s, tail, _), members in groups.items():
            for n in range(0, len(members), TOGETHER):
                _together(s, tail, members[n:n + TOGETHER], out)
        return out


def _keep_views(s):
    """Puts the rows of lab's views into the session, so that no statement has to make them anew."""
    for view in s.sql("SHOW VIEWS IN lab").collect():
        rows = s.table("lab." + view.viewName)._jdf.queryExecution().optimizedPlan()
        s._jvm.org.apache.spark.sql.classic.Dataset.ofRows(s._jsparkSession, rows).createOrReplaceTempView(view.viewName)


def _together(s, tail, members, out):
    """Answers a query of all members' expressions; where one fails, the halves."""
    try:
        frame = s.sql(f"SELECT {', '.join(e for _, _, e, _ in members)} {tail}")
        rows = _rows(frame, [f for *_, f in members])
    except Exception as e:  # noqa: BLE001 - every failure is an answer
        if len(members) == 1:
            i, case, _, _ = members[0]
            out[i] = case | {"error": _error(e)}
            return
        middle = len(members) // 2
        _together(s, tail, members[:middle], out)
        _together(s, tail, members[middle:], out)
        return
    for column, (i, case, _, field) in enumerate(members):
        own = sorted(([r[column]] for r in rows), key=encode.text)
        out[i] = case | {"names": [field.name], "types": [field.dataType.simpleString()], "ordered": False, "rows": own}


def _run(s, sql, args, ordered):
    try:
        frame = s.sql(sql, args=_arguments(args)) if args else s.sql(sql)
        fields = frame.schema.fields
        rows = _rows(frame, fields) if fields else []
    except Exception as e:  # noqa: BLE001 - every failure is an answer
        return {"error": _error(e)}
    if not ordered:
        rows.sort(key=encode.text)
    return {"names": [f.name for f in fields], "types": [f.dataType.simpleString() for f in fields],
            "ordered": ordered, "rows": rows}


def _rows(frame, fields):
    frame = frame.toDF(*(f"c{i}" for i in range(len(fields))))
    frame = frame.selectExpr(*(f"{encode.expression(f'c{i}', f.dataType)} AS c{i}" for i, f in enumerate(fields)))
    rows = frame.limit(MAX_ROWS + 1).collect()
    if len(rows) > MAX_ROWS:
        raise ValueError(f"more than {MAX_ROWS} rows")
    return [[encode.value(v, f.dataType) for v, f in zip(row, fields)] for row in rows]


def _arguments(args):
    def one(v):
        return F.expr(v["sql"]) if isinstance(v, dict) else v
    return {k: one(v) for k, v in args.items()} if isinstance(args, dict) else [one(v) for v in args]


def _error(e):
    kind = type(e).__name__
    out = {"class": None, "sqlstate": None,
           "phase": "parse" if "Parse" in kind else "analysis" if "Analysis" in kind else "runtime"}
    message = str(e)
    if isinstance(e, PySparkException):
        out["class"], out["sqlstate"] = e.getCondition(), e.getSqlState()
    elif isinstance(e, Py4JJavaError):
        out["class"] = "JAVA:" + e.java_exception.getClass().getName()
        message = str(e.java_exception.getMessage())
    if out["class"] is None:
        out["loose"] = "null"
    elif out["class"].startswith("_LEGACY"):
        out["loose"] = "legacy"
    elif out["class"].startswith("INTERNAL_ERROR"):
        out["loose"] = "internal"
    message = re.sub(r"#\d+L?", "#n", message.split("\n")[0])
    out["message"] = message[:300]
    return out
