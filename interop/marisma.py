"""Starts and asks a Marisma server, by its command line only."""
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
BIN = REPO / "bin" / "marisma"


class Server:
    """A project of its own folder with a running server."""

    def __init__(self, source, folder, mqtts="127.0.0.1:0"):
        self.dir = Path(folder) / "project"
        shutil.copytree(source, self.dir, ignore=shutil.ignore_patterns(".marisma"))
        conf = self.dir / "marisma.yml"
        text = re.sub(r"(http|mqtt):( *)127\.0\.0\.1:\d+", r"\1:\g<2>127.0.0.1:0", conf.read_text())
        conf.write_text(re.sub(r"mqtts: *127\.0\.0\.1:\d+", f"mqtts: {mqtts}", text))
        self.log = open(Path(folder) / "server.log", "ab")
        self.proc = None
        self.ready = None

    def start(self, *flags):
        self.proc = subprocess.Popen(
            [BIN, "up", "-C", self.dir, "-o", "json", *flags], stdout=subprocess.PIPE, stderr=self.log)
        line = self.proc.stdout.readline()
        if not line:
            raise RuntimeError(f"the server did not start: {Path(self.log.name).read_text()}")
        self.ready = json.loads(line)
        return self

    def stop(self):
        if self.proc and self.proc.poll() is None:
            self.proc.send_signal(signal.SIGINT)
            assert self.proc.wait(60) == 0, Path(self.log.name).read_text()
        self.proc = None

    def run(self, *args, timeout=300):
        p = subprocess.run([BIN, *args, "-C", self.dir], capture_output=True, text=True, timeout=timeout)
        assert p.returncode == 0, p.stderr
        return p.stdout

    def sql(self, statement):
        """The rows as dictionaries."""
        return json.loads(self.run("sql", "-o", "json", "-e", statement))

    def connection_string(self, device):
        return json.loads(self.run("device", "add", device, "-o", "json"))["connection_string"]

    def tables(self):
        """Full name -> folder of every Delta table."""
        return {t["name"]: t["path"] for t in api(self, "GET", "/tables") if t.get("path")}

    def until(self, statement, want, seconds=60):
        """Asks again until want(rows) holds; gives the rows."""
        end = time.monotonic() + seconds
        while True:
            got = self.sql(statement)
            if want(got):
                return got
            assert time.monotonic() < end, f"{statement}: {got[:5]}"
            time.sleep(0.3)

    @property
    def ca(self):
        return self.ready["ca_file"]


def node_modules():
    return os.fspath(REPO / ".cache" / "node" / "node_modules")


def _unix(path, method, url, body=None):
    import http.client
    import socket

    class Unix(http.client.HTTPConnection):
        def connect(self):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(path)

    c = Unix("marisma")
    c.request(method, url, body=body)
    r = c.getresponse()
    data = r.read()
    assert r.status == 200, data
    return data


def api(server, method, url, body=None):
    """Asks the API over the local socket."""
    return json.loads(_unix(server.ready["socket"], method, "/api/v1" + url, body and json.dumps(body)))


def text_rows(server, statement):
    """(columns, rows) with every value as the text of a CAST to STRING."""
    columns, rows = None, []
    data = _unix(server.ready["socket"], "POST", "/api/v1/sql", json.dumps({"statement": statement}))
    for line in data.splitlines():
        o = json.loads(line)
        assert "error" not in o, o
        columns = o.get("columns", columns)
        rows += o.get("rows", [])
    return columns, rows
