"""Runs the benchmark's parts and prints their figures; see README.md."""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO / "interop"))
sys.path.insert(0, str(REPO / "bench"))
import pyarrow.parquet as pq  # noqa: E402
from marisma import BIN, Server  # noqa: E402

import peers  # noqa: E402
import proc  # noqa: E402

LOAD = REPO / ".cache" / "load"


def load(*args):
    p = subprocess.run([LOAD, *map(str, args)], capture_output=True, text=True)
    if p.returncode:
        raise SystemExit(p.stderr)
    return json.loads(p.stdout)


def hub(server, **flags):
    args = [x for k, v in flags.items() for x in (f"-{k}", v)]
    return load("-to", "hub", "-addr", server.ready["addresses"]["mqtt"], "-socket", server.ready["socket"], *args)


def log_files(table):
    return sorted(f for f in os.listdir(Path(table) / "_delta_log") if f.endswith(".json") and f[:20].isdigit())


class Watch(threading.Thread):
    """Notes when each version of a table appears."""

    def __init__(self, table):
        super().__init__(daemon=True)
        self.table, self.seen, self.end = Path(table), {}, threading.Event()

    def run(self):
        while not self.end.is_set():
            now = time.time()
            try:
                for f in log_files(self.table):
                    self.seen.setdefault(f, now)
            except FileNotFoundError:
                pass
            time.sleep(0.004)

    def latencies(self):
        """Seconds from each row's own time to the commit that made it queryable."""
        out = []
        for f, at in self.seen.items():
            try:
                lines = (self.table / "_delta_log" / f).read_text().splitlines()
            except FileNotFoundError:
                continue
            for line in lines:
                add = json.loads(line).get("add")
                if add and add["dataChange"]:
                    ts = pq.read_table(self.table / add["path"], columns=["ts"])["ts"].to_pylist()
                    out += [at - t.timestamp() for t in ts]
        return sorted(out)


def at(sorted_values, q):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * q))] if sorted_values else float("nan")


def rows_of(server, statement="SELECT count(*) AS n FROM silver"):
    return server.sql(statement)[0]["n"]


def stream(count, spark=True):
    """The same messages to committed rows: ours with the hub in front, the peer from Kafka."""
    with tempfile.TemporaryDirectory() as d:
        s = Server(REPO / "bench" / "project", d).start()
        pid = s.proc.pid
        c0, t0 = proc.cpu(pid), time.time()
        sent = hub(s, count=count, window=256, clients=64)
        s.run("pipeline", "run")
        took, used, top = time.time() - t0, proc.cpu(pid) - c0, proc.peak(pid)
        n = rows_of(s)
        s.stop()
    print(f"marisma: {count} messages over MQTT, {n} rows committed in {took:.1f} s ({count / took:,.0f} a second), "
          f"{used:.1f} CPU s ({used * 1e6 / count:.2f} CPU s per million), peak {top:.0f} MB; generator {sent['per_second']:,.0f}/s")
    if not spark:
        return
    with tempfile.TemporaryDirectory() as d:
        k = peers.Kafka(d)
        try:
            load("-to", "kafka", "-addr", f"127.0.0.1:{k.port}", "-count", count)
            p = peers.spark_stream(k.port, f"{d}/silver", f"{d}/ckpt", f"{d}/spark.json", "backlog")
            t0, used2, top2 = time.time(), 0.0, 0.0
            while p.poll() is None:
                try:
                    used2 = max(used2, proc.cpu(p.pid))
                    top2 = max(top2, sum(proc.peak(x) for x in proc.tree(p.pid)))
                except (FileNotFoundError, ProcessLookupError):
                    pass
                time.sleep(0.2)
            took2 = time.time() - t0
            if p.returncode:
                print(Path(f"{d}/spark.json.log").read_text()[-2000:])
                raise SystemExit("Spark failed")
            batches = [json.loads(x) for x in open(f"{d}/spark.json")]
        finally:
            k.stop()
    warm = batches[2:] or batches
    rate = sum(b["rows"] for b in warm) / (sum(b["ms"] for b in warm) / 1000)
    n2 = sum(b["rows"] for b in batches)
    print(f"spark:   {n2} messages from Kafka in {took2:.1f} s, {rate:,.0f} a second warm, {used2:.1f} CPU s "
          f"({used2 * 1e6 / n2:.2f} CPU s per million), peak {top2:.0f} MB")
    print(f"ratio:   {(count / used) / (n2 / used2):.1f}x rows per CPU second (target 10), memory {top / top2:.2f} (target 0.10), "
          f"{(count / took) / rate:.1f}x rate against warm Spark")


def latency(seconds):
    for rate in (1_000, 10_000, 50_000):
        with tempfile.TemporaryDirectory() as d:
            s = Server(REPO / "bench" / "project", d).start()
            table = next(p for n, p in s.tables().items() if n.endswith(".silver"))
            w = Watch(table)
            w.start()
            pid = s.proc.pid
            c0 = proc.cpu(pid)
            sent = hub(s, count=rate * seconds, rate=rate, clients=500, window=256)
            s.run("pipeline", "run")
            used, top = proc.cpu(pid) - c0, proc.peak(pid)
            w.end.set()
            w.join()
            lat = w.latencies()
            s.stop()
        print(f"{rate} msg/s for {seconds} s: publish to queryable p50 {at(lat, .5) * 1000:.0f} ms, p99 {at(lat, .99) * 1000:.0f} ms over {len(lat)} rows; "
              f"sent {sent['per_second']:,.0f}/s, {used * 1e6 / sent['sent']:.2f} CPU s per million, peak {top:.0f} MB")


CLIENTS = 500


def per_message(pid, count, send):
    """What send(count) says, and CPU microseconds a message without the connecting: that is what a message a client costs."""
    c0 = proc.cpu(pid)
    send(CLIENTS)
    c1 = proc.cpu(pid)
    sent = send(count)
    return sent, (proc.cpu(pid) - c1 - (c1 - c0)) * 1e6 / (count - CLIENTS)


def mqtt(count):
    with tempfile.TemporaryDirectory() as d:
        m = peers.Mosquitto(d)
        theirs, their_cpu = per_message(m.proc.pid, count, lambda n: load(
            "-to", "broker", "-addr", f"127.0.0.1:{m.port}", "-count", n, "-payload", 200, "-clients", CLIENTS))
        m.stop()
        # No pipeline: the front and the log alone, as the broker is alone.
        s = Server(REPO / "bench" / "project", d)
        for f in (s.dir / "src").rglob("*.sql"):
            f.write_text("CREATE OR REFRESH MATERIALIZED VIEW one AS SELECT 1 AS one;\n")
        s.start()
        ours, our_cpu = per_message(s.proc.pid, count, lambda n: hub(s, count=n, payload=200, clients=CLIENTS))
        s.stop()
    print(f"mosquitto (not durable): {theirs['per_second']:,.0f} msg/s, {their_cpu:.1f} us CPU a message")
    print(f"marisma (fsync before PUBACK): {ours['per_second']:,.0f} msg/s, {our_cpu:.1f} us CPU a message")
    print(f"ratio: {ours['per_second'] / theirs['per_second']:.1f}x rate (target 4), {our_cpu / their_cpu:.2f}x CPU a message (target 0.33)")


def start():
    with tempfile.TemporaryDirectory() as d:
        subprocess.run([BIN, "init", f"{d}/new"], check=True, capture_output=True)
        times = []
        for _ in range(5):
            s = Server(f"{d}/new", tempfile.mkdtemp(dir=d))
            t0 = time.time()
            s.start()
            times.append(time.time() - t0)
            time.sleep(5)
            idle = proc.rss(s.proc.pid)
            s.stop()
    print(f"cold up on an empty folder: ready in {min(times):.2f} to {max(times):.2f} s (target < 1), {idle:.0f} MB at rest (target < 100)")


def commits(total):
    subprocess.run(["go", "run", "./bench/commits", "-commits", str(total), "-python", sys.executable], cwd=REPO, check=True)


def sql(rows):
    subprocess.run(["go", "run", "./bench/sql", "-rows", str(rows)], cwd=REPO, check=True)


def delta(rows):
    subprocess.run(["go", "run", "./bench/delta", "-rows", str(rows), "-python", sys.executable], cwd=REPO, check=True)


PARTS = {
    "start": lambda a: start(),
    "mqtt": lambda a: mqtt(a.messages // 2),
    "latency": lambda a: latency(a.seconds),
    "stream": lambda a: stream(a.messages, not a.no_spark),
    "commits": lambda a: commits(a.commits),
    "sql": lambda a: sql(a.rows),
    "delta": lambda a: delta(a.rows),
}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    p = argparse.ArgumentParser()
    p.add_argument("--only", choices=PARTS, action="append")
    p.add_argument("--messages", type=int, default=4_000_000)
    p.add_argument("--seconds", type=int, default=30)
    p.add_argument("--commits", type=int, default=86_400)
    p.add_argument("--rows", type=int, default=10_000_000)
    p.add_argument("--no-spark", action="store_true")
    a = p.parse_args()
    for name in a.only or PARTS:
        print(f"== {name}", flush=True)
        PARTS[name](a)


if __name__ == "__main__":
    main()
