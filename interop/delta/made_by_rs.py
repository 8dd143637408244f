"""Tables that delta-rs makes: functions of a folder, each leaving rows with id 1, 2 and 3 and texts v."""
import datetime
import decimal

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

UTC = datetime.timezone.utc


def rows(*pairs):
    return pa.table({"id": pa.array([p[0] for p in pairs], pa.int64()), "v": pa.array([p[1] for p in pairs], pa.string())})


FIRST = rows((1, "a"), (2, "b"), (3, "c"))
MORE = rows((4, "d"), (5, None))


def start(folder, **options):
    write_deltalake(folder, FIRST, **options)
    write_deltalake(folder, MORE, mode="append")
    return DeltaTable(folder)


def append(folder):
    start(folder)


def overwrite(folder):
    start(folder)
    write_deltalake(folder, FIRST, mode="overwrite")


def replace_where(folder):
    start(folder)
    write_deltalake(folder, rows((3, "cc"), (9, "nine")), mode="overwrite", predicate="id >= 3")


def update(folder):
    start(folder).update(predicate="id = 1", updates={"v": "'up'"})


def delete(folder):
    start(folder).delete("id = 4")


def merge(folder):
    t = start(folder)
    (t.merge(rows((1, "one"), (4, "four"), (6, "six")), "t.id = s.id", source_alias="s", target_alias="t")
     .when_matched_delete("t.id = 4").when_matched_update_all().when_not_matched_insert_all()
     .when_not_matched_by_source_update({"v": "'left'"}, "t.id = 2").when_not_matched_by_source_delete("t.id = 5").execute())


def optimize(folder):
    start(folder).optimize.compact()


def zorder(folder):
    start(folder).optimize.z_order(["id", "v"])


def vacuum(folder):
    update(folder)
    DeltaTable(folder).vacuum(0, dry_run=False, enforce_retention_duration=False)


def restore(folder):
    t = start(folder)
    t.delete("id = 1")
    t.restore(1)


def checkpoint(folder):
    start(folder).create_checkpoint()
    write_deltalake(folder, rows((6, "f")), mode="append")


def log_cleanup(folder):
    write_deltalake(folder, FIRST, configuration={"delta.logRetentionDuration": "interval 0 seconds"})
    write_deltalake(folder, MORE, mode="append")
    t = DeltaTable(folder)
    t.create_checkpoint()
    t.cleanup_metadata()


def types(folder):
    day = datetime.date(1582, 10, 15)
    at = datetime.datetime(1900, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    one = {"id": 1, "v": "ñandú 🌍", "i8": -128, "i16": 32767, "i32": 2147483647, "f32": 1.5, "f64": 2.5e-7, "b": True, "bin": b"bytes",
           "d": day, "ts": at, "dec": decimal.Decimal("-0.0001"), "s": {"x": 1, "y": None}, "l": ["a", None], "m": [("k", 1), ("n", None)]}
    schema = pa.schema([
        ("id", pa.int64()), ("v", pa.string()), ("i8", pa.int8()), ("i16", pa.int16()), ("i32", pa.int32()), ("f32", pa.float32()),
        ("f64", pa.float64()), ("b", pa.bool_()), ("bin", pa.binary()), ("d", pa.date32()), ("ts", pa.timestamp("us", "UTC")),
        ("dec", pa.decimal128(38, 10)), ("s", pa.struct([("x", pa.int32()), ("y", pa.string())])), ("l", pa.list_(pa.string())), ("m", pa.map_(pa.string(), pa.int64()))])
    write_deltalake(folder, pa.Table.from_pylist([one, {"id": 2, "v": ""}, {"id": 3, "f64": float("nan")}], schema))


def partition_odd(folder):
    odd = ["plain", "with space", "a/b", "50%", "a=b", "k:v", "ñandú", "a+b&c", "q?#x", None, "{x}", "%41", ".hidden", '"q"']
    t = rows(*((i + 1, f"v{i}") for i in range(len(odd)))).append_column("p", pa.array(odd, pa.string()))
    write_deltalake(folder, t, partition_by=["p"])


def partition_types(folder):
    t = FIRST.append_column("d", pa.array([datetime.date(2024, 2, 29), None, datetime.date(1899, 12, 31)]))
    t = t.append_column("ts", pa.array([datetime.datetime(2024, 2, 29, 12, 34, 56, 789012, UTC), None, datetime.datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)], pa.timestamp("us", "UTC")))
    t = t.append_column("dec", pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("7.25")], pa.decimal128(10, 2)))
    t = t.append_column("b", pa.array([True, None, False]))
    write_deltalake(folder, t, partition_by=["d", "ts", "dec", "b"])


def partition_negative(folder):
    write_deltalake(folder, FIRST.append_column("dec", pa.array([decimal.Decimal("-1.25")] * 3, pa.decimal128(10, 2))), partition_by=["dec"])


def ntz(folder):
    write_deltalake(folder, FIRST.append_column("n", pa.array([datetime.datetime(2024, 3, 31, 2, 30), None, datetime.datetime(1, 1, 1)], pa.timestamp("us"))))


def feed(folder):
    write_deltalake(folder, FIRST, configuration={"delta.enableChangeDataFeed": "true"})
    write_deltalake(folder, MORE, mode="append")
    t = DeltaTable(folder)
    t.update(predicate="id = 1", updates={"v": "'up'"})
    t.delete("id = 4")


def check(folder):
    start(folder).alter.add_constraint({"positive": "id > 0"})


def not_null(folder):
    write_deltalake(folder, FIRST.cast(pa.schema([pa.field("id", pa.int64(), False), pa.field("v", pa.string(), False)])))


def evolution(folder):
    start(folder)
    write_deltalake(folder, rows((6, "f")).append_column("n", pa.array([6], pa.int32())), mode="append", schema_mode="merge")


def dv_property(folder):
    write_deltalake(folder, FIRST, configuration={"delta.enableDeletionVectors": "true"})
    DeltaTable(folder).delete("id = 9")


def append_only(folder):
    write_deltalake(folder, FIRST, configuration={"delta.appendOnly": "true"})


MAKERS = {
    f.__name__: f for f in (
        append, overwrite, replace_where, update, delete, merge, optimize, zorder, vacuum, restore, types, partition_odd, partition_types, partition_negative,
        checkpoint, log_cleanup, ntz, feed, check, not_null, evolution, dv_property, append_only)
}
