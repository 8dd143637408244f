"""What the matrix of features runs: statements that make a table, the same here and in Spark.

{t} is the table, {u} a second one. A case leaves the rows with id 1, 2 and 3
behind, each once, and a column v of texts, for the changes that follow.
"""
from dataclasses import dataclass, field

MAKE = "CREATE TABLE {t} (id BIGINT, v STRING) USING DELTA"
ROWS = "INSERT INTO {t} VALUES (1, 'a'), (2, 'b'), (3, 'c')"
MORE = "INSERT INTO {t} VALUES (4, 'd'), (5, NULL)"
UPDATE = "UPDATE {t} SET v = concat(v, '+') WHERE id IN (1, 5)"
DELETE = "DELETE FROM {t} WHERE id = 4"
MERGE = """MERGE INTO {t} t USING (SELECT * FROM VALUES (1L, 'one'), (4L, 'four'), (6L, 'six'), (7L, 'seven') AS s(id, v)) s ON t.id = s.id
 WHEN MATCHED AND t.id = 4 THEN DELETE
 WHEN MATCHED THEN UPDATE SET v = s.v
 WHEN NOT MATCHED AND s.id = 6 THEN INSERT (id, v) VALUES (s.id, s.v)
 WHEN NOT MATCHED THEN INSERT *
 WHEN NOT MATCHED BY SOURCE AND t.id = 5 THEN DELETE
 WHEN NOT MATCHED BY SOURCE AND t.id = 2 THEN UPDATE SET v = 'left'"""
OPTIMIZE = "OPTIMIZE {t}"


def table(*properties, columns="id BIGINT, v STRING", by=""):
    """CREATE TABLE with properties as key=value."""
    text = ", ".join("'" + p.replace("=", "' = '", 1) + "'" for p in properties)
    return f"CREATE TABLE {{t}} ({columns}) USING DELTA{' ' + by if by else ''}{f' TBLPROPERTIES ({text})' if text else ''}"


@dataclass
class Case:
    """One feature or operation."""

    key: str
    title: str
    make: list
    cols: list = field(default_factory=list)  # that INSERT names, id first; [] is all
    feed: int = -1                            # first version of the change feed to compare
    travel: bool = False                      # compare older versions
    changed: bool = True                      # rows may be changed afterwards
    refused: tuple = ()                       # column and value that no writer may set
    unequal: list = field(default_factory=list)  # columns whose values are the writer's own


DV = "delta.enableDeletionVectors=true"
NAME = "delta.columnMapping.mode=name"
FEED = "delta.enableChangeDataFeed=true"

OPERATIONS = [
    Case("append", "create, append", [MAKE, ROWS, MORE]),
    Case("ctas", "CREATE TABLE AS SELECT", ["CREATE TABLE {t} USING DELTA AS SELECT id + 1 AS id, concat('v', id) AS v FROM range(5)"]),
    Case("overwrite", "INSERT OVERWRITE", [MAKE, MORE, "INSERT OVERWRITE {t} VALUES (1, 'a'), (2, 'b'), (3, 'c')"]),
    Case("replace_where", "INSERT REPLACE WHERE", [
        MAKE, ROWS, MORE, "INSERT INTO {t} REPLACE WHERE id >= 3 SELECT * FROM VALUES (3L, 'cc'), (9L, 'nine')"]),
    Case("dynamic", "dynamic partition overwrite", [
        table(columns="id BIGINT, v STRING, p INT", by="PARTITIONED BY (p)"), "INSERT INTO {t} VALUES (1, 'a', 1), (2, 'b', 2), (4, 'd', 2)",
        "SET spark.sql.sources.partitionOverwriteMode = dynamic", "INSERT OVERWRITE {t} VALUES (2, 'bb', 2), (3, 'c', 3)"]),
    Case("replace_table", "CREATE OR REPLACE TABLE", [
        table(columns="a INT, b DATE"), "INSERT INTO {t} VALUES (1, DATE'2024-01-01')",
        "CREATE OR REPLACE TABLE {t} USING DELTA AS SELECT id + 1 AS id, concat('v', id) AS v FROM range(4)"], travel=True),
    Case("update", "UPDATE", [MAKE, ROWS, MORE, UPDATE]),
    Case("delete", "DELETE", [MAKE, ROWS, MORE, DELETE]),
    Case("merge", "MERGE, all clauses", [MAKE, ROWS, MORE, MERGE], travel=True),
    Case("truncate", "DELETE of all rows, then append", [MAKE, MORE, "DELETE FROM {t}", ROWS]),
    Case("optimize", "OPTIMIZE", [MAKE, ROWS, MORE, OPTIMIZE]),
    Case("zorder", "OPTIMIZE ZORDER BY", [MAKE, ROWS, MORE, "OPTIMIZE {t} ZORDER BY (id, v)"]),
    Case("vacuum", "VACUUM", [
        MAKE, ROWS, MORE, UPDATE, "SET spark.databricks.delta.retentionDurationCheck.enabled = false", "VACUUM {t} RETAIN 0 HOURS"]),
    Case("restore", "RESTORE", [MAKE, ROWS, MORE, UPDATE, DELETE, "RESTORE TABLE {t} TO VERSION AS OF 2"], travel=True),
    Case("clone", "shallow clone", [
        "CREATE TABLE {u} (id BIGINT, v STRING) USING DELTA", "INSERT INTO {u} VALUES (1, 'a'), (2, 'b'), (3, 'c')", "CREATE TABLE {t} SHALLOW CLONE {u}"]),
    Case("convert", "CONVERT TO DELTA", ["{parquet}", "CONVERT TO DELTA parquet.`{path}`"]),
]

TYPES = """id BIGINT, v STRING, i8 TINYINT, i16 SMALLINT, i32 INT, f32 FLOAT, f64 DOUBLE, b BOOLEAN, bin BINARY, d DATE, ts TIMESTAMP,
 dec9 DECIMAL(9,2), dec18 DECIMAL(18,4), dec38 DECIMAL(38,10)"""
TYPE_ROWS = """INSERT INTO {t} VALUES
 (1, 'ñandú 🌍', -128Y, 32767S, 2147483647, CAST('1.5' AS FLOAT), 2.5e-7D, true, CAST('bytes' AS BINARY), DATE'1582-10-15', TIMESTAMP'1900-01-01 00:00:00.000001Z', 1234567.89BD, -1.0001BD, 1234567890123456789012345678.0123456789BD),
 (2, '', 127Y, -32768S, -2147483648, CAST('NaN' AS FLOAT), CAST('-Infinity' AS DOUBLE), false, CAST('' AS BINARY), DATE'9999-12-31', TIMESTAMP'9999-12-31 23:59:59.999999Z', -0.01BD, 0BD, -0.0000000001BD),
 (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"""
NESTED = "id BIGINT, v STRING, s STRUCT<a: INT, b: STRUCT<c: STRING, d: ARRAY<DATE>>>, l ARRAY<STRUCT<x: INT, y: STRING>>, m MAP<STRING, ARRAY<INT>>, ll ARRAY<ARRAY<BIGINT>>"
NESTED_ROWS = """INSERT INTO {t} VALUES
 (1, 'a', named_struct('a', 1, 'b', named_struct('c', 'x', 'd', array(DATE'2024-02-29', NULL))), array(named_struct('x', 1, 'y', NULL), NULL), map('k', array(1, NULL), 'n', NULL), array(array(1L), array(), NULL)),
 (2, 'b', named_struct('a', NULL, 'b', NULL), array(), map(), array()),
 (3, 'c', NULL, NULL, NULL, NULL)"""
ODD = "'plain', 'with space', 'a/b', '50%', 'a=b', 'k:v', 'ñandú', 'a+b&c', 'q?#x', NULL, '', '{{x}}', '%41', '.hidden', '\"q\"'"

LAYOUT = [
    Case("types", "all column types", [table(columns=TYPES), TYPE_ROWS]),
    Case("nested", "nested types", [table(columns=NESTED), NESTED_ROWS]),
    Case("partition_odd", "partitions of odd texts", [
        table(columns="id BIGINT, v STRING, p STRING", by="PARTITIONED BY (p)"),
        f"INSERT INTO {{t}} SELECT pos + 1L, concat('v', pos), col FROM (SELECT posexplode(array({ODD})))"]),
    Case("partition_types", "partitions of every type", [
        table(columns="id BIGINT, v STRING, d DATE, ts TIMESTAMP, dec DECIMAL(10,2), b BOOLEAN, i SMALLINT, f DOUBLE", by="PARTITIONED BY (d, ts, dec, b, i, f)"),
        """INSERT INTO {t} VALUES (1, 'a', DATE'2024-02-29', TIMESTAMP'2024-02-29 12:34:56.789012Z', 1.50BD, true, 7S, 0.5D),
 (2, 'b', NULL, NULL, NULL, NULL, NULL, NULL), (3, 'c', DATE'1899-12-31', TIMESTAMP'1969-12-31 23:59:59Z', -0.01BD, false, -1S, 1e10D)"""]),
    Case("clustered", "clustered table", [
        table(by="CLUSTER BY (id)"), ROWS, MORE, OPTIMIZE, "ALTER TABLE {t} CLUSTER BY (v, id)", "INSERT INTO {t} VALUES (8, 'h')", OPTIMIZE]),
    Case("checkpoint", "checkpoints every 2 commits", [table("delta.checkpointInterval=2"), ROWS, MORE, UPDATE, DELETE], travel=True),
    Case("checkpoint_struct", "checkpoints with statistics as a struct", [
        table("delta.checkpointInterval=2", "delta.checkpoint.writeStatsAsStruct=true", "delta.checkpoint.writeStatsAsJson=false",
              columns="id BIGINT, v STRING, p INT", by="PARTITIONED BY (p)"),
        "INSERT INTO {t} VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', NULL)", "INSERT INTO {t} VALUES (4, 'd', 1)", UPDATE, DELETE]),
    Case("checkpoint_v2", "v2 checkpoints", [table("delta.checkpointPolicy=v2", "delta.checkpointInterval=2"), ROWS, MORE, UPDATE, DELETE], travel=True),
    Case("log_cleanup", "log clean-up", [
        table("delta.checkpointInterval=2", "delta.logRetentionDuration=interval 1 hour", "delta.deletedFileRetentionDuration=interval 1 hour"), ROWS, MORE, UPDATE, DELETE]),
    Case("stats_columns", "statistics of chosen columns", [
        table("delta.dataSkippingStatsColumns=v", columns="id BIGINT, v STRING, w STRING"), "INSERT INTO {t} VALUES (1, 'a', 'x'), (2, repeat('z', 60), 'y'), (3, NULL, NULL)"]),
    Case("no_stats", "no statistics", [table("delta.dataSkippingNumIndexedCols=0"), ROWS, MORE, UPDATE]),
]

FEATURES = [
    Case("dv_delete", "deletion vectors: DELETE", [table(DV), ROWS, MORE, "DELETE FROM {t} WHERE id = 5"]),
    Case("dv_update", "deletion vectors: UPDATE", [table(DV), ROWS, MORE, UPDATE]),
    Case("dv_merge", "deletion vectors: MERGE", [table(DV), ROWS, MORE, MERGE], travel=True),
    Case("dv_optimize", "deletion vectors: OPTIMIZE", [table(DV), ROWS, MORE, "DELETE FROM {t} WHERE id = 5", OPTIMIZE]),
    Case("dv_restore", "deletion vectors: RESTORE", [
        table(DV), ROWS, MORE, "DELETE FROM {t} WHERE id = 5", "DELETE FROM {t} WHERE id = 1", "RESTORE TABLE {t} TO VERSION AS OF 3"]),
    Case("dv_later", "deletion vectors, switched on later", [
        MAKE, ROWS, MORE, "ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')", "DELETE FROM {t} WHERE id = 5"]),
    Case("mapping_name", "column mapping by name, rename and drop", [
        table(NAME, columns="id BIGINT, v STRING, a INT, b INT"), "INSERT INTO {t} VALUES (1, 'a', 1, 10), (2, 'b', 2, 20), (3, 'c', 3, 30)",
        "ALTER TABLE {t} RENAME COLUMN a TO c", "ALTER TABLE {t} DROP COLUMN b", "ALTER TABLE {t} ADD COLUMN b STRING", "UPDATE {t} SET b = 'new' WHERE id = 2"], travel=True),
    Case("mapping_id", "column mapping by id", [
        table("delta.columnMapping.mode=id", columns="id BIGINT, v STRING, s STRUCT<x: INT, y: INT>"),
        "INSERT INTO {t} VALUES (1, 'a', named_struct('x', 1, 'y', 2)), (2, 'b', NULL), (3, 'c', named_struct('x', NULL, 'y', 3))",
        "ALTER TABLE {t} RENAME COLUMN s.x TO z", "INSERT INTO {t} VALUES (4, 'd', named_struct('z', 4, 'y', 4))"]),
    Case("mapping_later", "column mapping, switched on later", [
        table(columns="id BIGINT, v STRING, p INT", by="PARTITIONED BY (p)"), "INSERT INTO {t} VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', NULL)",
        "ALTER TABLE {t} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '5')",
        "ALTER TABLE {t} RENAME COLUMN p TO q", "INSERT INTO {t} VALUES (4, 'd', 1)"]),
    Case("mapping_odd", "column mapping with odd names", [
        table(NAME, columns="id BIGINT, v STRING, `a b` INT, `x.y` INT, `n(1)=;,` STRING"), "INSERT INTO {t} VALUES (1, 'a', 1, 2, 'x'), (2, 'b', 3, 4, 'y'), (3, 'c', NULL, NULL, NULL)"]),
    Case("dv_mapping", "deletion vectors and column mapping", [
        table(DV, NAME), ROWS, MORE, "ALTER TABLE {t} ADD COLUMN w INT", "DELETE FROM {t} WHERE id = 5", MERGE.replace("INSERT *", "INSERT (id, v) VALUES (s.id, s.v)")]),
    Case("check", "CHECK constraints", [MAKE, ROWS, "ALTER TABLE {t} ADD CONSTRAINT positive CHECK (id > 0 AND v IS NOT NULL)"], refused=("id", "-5")),
    Case("not_null", "NOT NULL columns", [table(columns="id BIGINT NOT NULL, v STRING NOT NULL"), ROWS], refused=("v", "NULL")),
    Case("generated", "generated columns", [
        table(columns="id BIGINT, v STRING, g BIGINT GENERATED ALWAYS AS (id * 2)"), "INSERT INTO {t} (id, v) VALUES (1, 'a'), (2, 'b'), (3, 'c')"],
        cols=["id", "v"], refused=("g", "-5")),
    Case("defaults", "column defaults", [
        table("delta.feature.allowColumnDefaults=supported", columns="id BIGINT, v STRING DEFAULT 'none', n INT DEFAULT 7"),
        "INSERT INTO {t} VALUES (1, DEFAULT, DEFAULT), (2, 'b', 2)", "INSERT INTO {t} (id) VALUES (3)"], cols=["id", "v"]),
    Case("identity", "identity columns", [
        table(columns="id BIGINT, v STRING, k BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY 5)"),
        "INSERT INTO {t} (id, v) VALUES (1, 'a'), (2, 'b'), (3, 'c')", "INSERT INTO {t} (id, v) VALUES (4, 'd')"], cols=["id", "v"], unequal=["k"]),
    Case("feed", "change data feed", [table(FEED), ROWS, MORE, UPDATE, DELETE, MERGE], feed=0),
    Case("feed_partition", "change data feed, partitioned and mapped", [
        table(FEED, NAME, columns="id BIGINT, v STRING, p STRING", by="PARTITIONED BY (p)"),
        "INSERT INTO {t} VALUES (1, 'a', 'x y'), (2, 'b', NULL), (3, 'c', 'x y'), (4, 'd', 'z')", UPDATE, DELETE, "UPDATE {t} SET p = 'moved' WHERE id = 3"], feed=0),
    Case("feed_dv", "change data feed and deletion vectors", [table(FEED, DV), ROWS, MORE, UPDATE, DELETE, MERGE], feed=0),
    Case("feed_later", "change data feed, switched on later", [
        MAKE, ROWS, "ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')", MORE, UPDATE, "INSERT OVERWRITE {t} SELECT id, upper(v) FROM {t}"], feed=2),
    Case("ict", "in-commit timestamps", [table("delta.enableInCommitTimestamps=true"), ROWS, MORE, UPDATE], travel=True),
    Case("ict_later", "in-commit timestamps, switched on later", [
        MAKE, ROWS, "ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')", MORE, UPDATE], travel=True),
    Case("widening", "type widening", [
        table("delta.enableTypeWidening=true", columns="id BIGINT, v STRING, a TINYINT, b INT, f FLOAT, d DECIMAL(6,2), s STRUCT<x: SMALLINT>"),
        "INSERT INTO {t} VALUES (1, 'a', 1Y, 10, CAST(0.1 AS FLOAT), 1.25BD, named_struct('x', 1S)), (2, 'b', NULL, NULL, NULL, NULL, NULL)",
        "ALTER TABLE {t} ALTER COLUMN a TYPE SMALLINT", "ALTER TABLE {t} ALTER COLUMN a TYPE INT", "ALTER TABLE {t} ALTER COLUMN b TYPE BIGINT",
        "ALTER TABLE {t} ALTER COLUMN f TYPE DOUBLE", "ALTER TABLE {t} ALTER COLUMN d TYPE DECIMAL(10,4)", "ALTER TABLE {t} ALTER COLUMN s.x TYPE INT",
        "INSERT INTO {t} VALUES (3, 'c', 70000, 5000000000, 0.1D, 123456.1234BD, named_struct('x', 70000))"], travel=True),
    Case("widening_far", "type widening of INT to DOUBLE and DECIMAL, DATE to TIMESTAMP_NTZ", [
        table("delta.enableTypeWidening=true", "delta.feature.timestampNtz=supported", columns="id BIGINT, v STRING, a INT, b INT, d DATE"),
        "INSERT INTO {t} VALUES (1, 'a', 1, 10, DATE'2024-02-29'), (2, 'b', NULL, NULL, NULL)",
        "ALTER TABLE {t} ALTER COLUMN a TYPE DOUBLE", "ALTER TABLE {t} ALTER COLUMN b TYPE DECIMAL(12,1)", "ALTER TABLE {t} ALTER COLUMN d TYPE TIMESTAMP_NTZ",
        "INSERT INTO {t} VALUES (3, 'c', 0.5D, 1.5BD, TIMESTAMP_NTZ'2024-02-29 12:00:00')"]),
    Case("ntz", "TIMESTAMP_NTZ", [
        table(columns="id BIGINT, v STRING, n TIMESTAMP_NTZ, l ARRAY<TIMESTAMP_NTZ>"),
        "INSERT INTO {t} VALUES (1, 'a', TIMESTAMP_NTZ'2024-03-31 02:30:00.123456', array(TIMESTAMP_NTZ'1969-12-31 23:59:59.999999')), (2, 'b', NULL, NULL), (3, 'c', TIMESTAMP_NTZ'0001-01-01 00:00:00', array())"]),
    Case("ntz_partition", "TIMESTAMP_NTZ as partition", [
        table(columns="id BIGINT, v STRING, n TIMESTAMP_NTZ", by="PARTITIONED BY (n)"),
        "INSERT INTO {t} VALUES (1, 'a', TIMESTAMP_NTZ'2024-03-31 02:30:00.123456'), (2, 'b', NULL), (3, 'c', TIMESTAMP_NTZ'1969-12-31 23:59:59')"]),
    Case("variant", "VARIANT", [
        table(columns="id BIGINT, v STRING, j VARIANT"),
        "INSERT INTO {t} SELECT 1L, 'a', parse_json('{{\"k\": [1, 2.5, \"x\", null, true]}}') UNION ALL SELECT 2L, 'b', NULL UNION ALL SELECT 3L, 'c', parse_json('7')"]),
    Case("variant_nested", "VARIANT in nested types, change feed, deletion vectors", [
        table(DV, FEED, columns="id BIGINT, v STRING, a ARRAY<VARIANT>, m MAP<STRING, VARIANT>, s STRUCT<x: VARIANT, y: INT>"),
        "INSERT INTO {t} SELECT 1L, 'a', array(parse_json('1.25'), NULL, parse_json('null')), map('k', parse_json('{{}}')), named_struct('x', parse_json('[]'), 'y', 1)"
        " UNION ALL SELECT 2L, 'b', NULL, NULL, NULL UNION ALL SELECT 3L, 'c', array(), map('k', NULL), named_struct('x', NULL, 'y', 3)",
        "ALTER TABLE {t} ADD COLUMN j VARIANT", "UPDATE {t} SET j = parse_json('{{\"later\": true}}'), v = 'bb' WHERE id = 2"], feed=1),
    Case("variant_shredded", "VARIANT, shredded", [
        table("delta.enableVariantShredding=true", columns="id BIGINT, v STRING, j VARIANT"), "SET spark.sql.variant.writeShredding.enabled = true", "SET spark.sql.variant.inferShreddingSchema = true",
        "INSERT INTO {t} SELECT 1L, 'a', parse_json('{{\"a\": 1, \"b\": \"x\"}}') UNION ALL SELECT 2L, 'b', parse_json('{{\"a\": 2, \"b\": \"y\"}}') UNION ALL SELECT 3L, 'c', NULL"]),
    Case("row_tracking", "row tracking", [table("delta.enableRowTracking=true"), ROWS, MORE, UPDATE, OPTIMIZE]),
    Case("evolution", "schema evolution", [
        MAKE, ROWS, "ALTER TABLE {t} ADD COLUMNS (n INT COMMENT 'later' AFTER id, s STRUCT<x: INT>)", "ALTER TABLE {t} ADD COLUMN s.y STRING",
        "INSERT INTO {t} (id, v, n, s) VALUES (4, 'd', 4, named_struct('x', 1, 'y', 'y'))",
        "MERGE WITH SCHEMA EVOLUTION INTO {t} t USING (SELECT 2L AS id, 'two' AS v, 2.5D AS extra) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"], travel=True),
    Case("append_only", "append-only", [table("delta.appendOnly=true"), ROWS], changed=False, refused=("v", "'x'")),
    Case("char", "CHAR and VARCHAR", [
        table(columns="id BIGINT, v STRING, c CHAR(4), w VARCHAR(5)"), "INSERT INTO {t} VALUES (1, 'a', 'ab', 'abc'), (2, 'b', NULL, NULL), (3, 'c', 'abcd', '12345')"],
        refused=("w", "'longer than five'")),
    Case("comments", "comments", [
        "CREATE TABLE {t} (id BIGINT COMMENT 'the id', v STRING COMMENT 'a \"v\"') USING DELTA COMMENT 'a table'", ROWS, "ALTER TABLE {t} ALTER COLUMN v COMMENT 'other'"]),
    Case("domain", "reader 3 and writer 7 with nothing used", [
        table("delta.feature.appendOnly=supported", "delta.feature.domainMetadata=supported", "delta.feature.deletionVectors=supported", "delta.feature.vacuumProtocolCheck=supported"), ROWS, MORE, UPDATE]),
    Case("drop_feature", "DROP FEATURE", [table(DV), ROWS, MORE, "ALTER TABLE {t} DROP FEATURE deletionVectors"]),
    Case("databricks", "a table as Databricks makes them", [
        table(DV, NAME, "delta.enableRowTracking=true", "delta.checkpointPolicy=v2", "delta.autoOptimize.optimizeWrite=true", "delta.autoOptimize.autoCompact=true",
              "delta.feature.appendOnly=supported", "delta.feature.invariants=supported", by="CLUSTER BY (id)"), ROWS, MORE, UPDATE, DELETE, OPTIMIZE]),
]

CASES = OPERATIONS + LAYOUT + FEATURES
