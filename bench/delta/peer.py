"""deltalake's side of bench/delta: peer.py TASK FOLDER ROWS prints the figures as JSON."""
import json
import os
import resource
import sys
import time

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder, write_deltalake

task, folder, total = sys.argv[1], sys.argv[2], int(sys.argv[3])
root = f"{folder}/t"
out = {}


def spent():
    u = resource.getrusage(resource.RUSAGE_SELF)
    return u.ru_utime + u.ru_stime


def timed(f, done=1):
    walls, cpu = [], spent()
    for _ in range(done):
        began = time.perf_counter()
        out["result"] = f()
        walls.append(time.perf_counter() - began)
    out["cpu"] = (spent() - cpu) / done
    out["wall"] = sorted(walls)[len(walls) // 2]


def open_files():
    timed(lambda: len(DeltaTable(root).file_uris()))


def refresh():
    t = DeltaTable(root)
    version = t.version() + 1
    os.link(f"{folder}/next.json", f"{root}/_delta_log/{version:020d}.json")

    def run():
        t.update_incremental()
        return t.version()

    timed(run)


def sync(*names):
    for name in names:
        f = os.open(name, os.O_RDONLY)
        os.fsync(f)
        os.close(f)


def append(rows, done, synced=False):
    with pa.OSFile(f"{folder}/rows-{rows}.arrow") as source:
        data = pa.ipc.open_file(source).read_all()
    t = DeltaTable(root)

    def run():
        write_deltalake(t, data, mode="append")
        if synced:  # as our side does before it answers
            log = f"{root}/_delta_log"
            newest = max((e for e in os.scandir(root) if e.name.endswith(".parquet")), key=lambda e: e.stat().st_mtime_ns)
            sync(newest.path, root, f"{log}/{t.version():020d}.json", log)
        return t.version()

    timed(run, done)


def change(f):
    timed(lambda: f(DeltaTable(root)) and None)
    t = DeltaTable(root)
    out["result"] = sum(x for x in pa.table(t.get_add_actions(flatten=True))["num_records"].to_pylist())


def merge(t):
    source = DeltaTable(f"{folder}/source").to_pyarrow_table()
    every = {c: f"s.{c}" for c in source.column_names}
    return (t.merge(source, "t.id = s.id", source_alias="s", target_alias="t")
            .when_matched_update({"value": "s.value + 1", "note": "s.note"})
            .when_not_matched_insert(every).execute())


def select(text):
    timed(lambda: pa.table(QueryBuilder().register("t", DeltaTable(root)).execute(text).read_all()).num_rows)


{
    "snapshot of 300k adds": open_files,
    "snapshot of 10k commits": open_files,
    "refresh by one commit": refresh,
    "append 1k rows": lambda: append(1_000, 20),
    "append 1k rows, both synced": lambda: append(1_000, 20, synced=True),
    "append 100k rows": lambda: append(100_000, 5),
    "append 1M rows": lambda: append(1_000_000, 1),
    "merge 1 %": lambda: change(merge),
    "delete 1 %": lambda: change(lambda t: t.delete("id % 100 = 7")),
    "compact 10k files": lambda: timed(lambda: DeltaTable(root).optimize.compact()["numFilesRemoved"]),
    "scan pruned by statistics": lambda: select("SELECT id, value, note FROM t WHERE id BETWEEN 1000000 AND 1000999"),
    "scan pruned by partition": lambda: select("SELECT id, value, note FROM t WHERE day = '2024-01-07' AND id % 10 = 3"),
}[task]()

with open("/proc/self/status") as f:
    out["peak"] = next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) / 1024
print(json.dumps(out))
