"""Object stores over real foreign servers: Azurite for Azure, moto for S3."""
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from deltalake import DeltaTable, write_deltalake
import pyarrow

from marisma import REPO

HERE = Path(__file__).resolve().parent
AZURITE = REPO / ".cache" / "azurite" / "node_modules" / ".bin" / "azurite-blob"
MOTO = Path(sys.executable).parent / "moto_server"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def go_test(package, pattern, **env):
    """Runs Go tests that must not be skipped."""
    p = subprocess.run(["go", "test", "-count=1", "-v", "-run", pattern, package], cwd=REPO, text=True,
                       capture_output=True, timeout=900, env={**os.environ, **env})
    assert p.returncode == 0 and "--- SKIP" not in p.stdout, p.stdout[-5000:] + p.stderr[-2000:]


@pytest.fixture
def server(tmp_path):
    """start(command) runs a server with a free port put in for PORT; gives the port."""
    running = []

    def start(*command):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        running.append(subprocess.Popen([str(c).replace("PORT", str(port)) for c in command], cwd=tmp_path,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        end = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
                return port
            except urllib.error.HTTPError:
                return port
            except OSError:
                assert running[-1].poll() is None and time.monotonic() < end, f"{command[0]} did not start"
                time.sleep(0.1)

    yield start
    for p in running:
        p.kill()
        p.wait()


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """The project's own Delta library as a program."""
    binary = tmp_path_factory.mktemp("bin") / "readmarisma"
    subprocess.run(["go", "build", "-o", binary, "./interop/delta/readmarisma"], cwd=REPO, check=True)
    return binary


def last(*command, **env):
    p = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=600, env={**os.environ, "TZ": "UTC", **env})
    assert p.returncode == 0, p.stderr[-3000:]
    return {k: v for k, v in json.loads(p.stdout.splitlines()[-1]).items() if k not in ("reader", "files", "seconds", "rss")}


def both_read(reader, ours, theirs, options, env):
    """Both libraries read the table, before and after delta-rs appended to it."""
    read = [sys.executable, HERE / "delta" / "read_deltalake.py", theirs]
    before = last(reader, ours, **env)
    assert before == last(*read, STORAGE_OPTIONS=json.dumps(options))
    more = pyarrow.table({"writer": ["delta-rs", "w 1/ü"], "n": pyarrow.array([-1, -2], pyarrow.int64()), "text": ["x", None]},
                         schema=pyarrow.schema([("writer", pyarrow.string(), False), ("n", pyarrow.int64(), False), ("text", pyarrow.string())]))
    write_deltalake(theirs, more, mode="append", storage_options=options)
    after = last(reader, ours, **env)
    assert after["rows"] == before["rows"] + 2 and after["version"] == before["version"] + 1
    assert after == last(*read, STORAGE_OPTIONS=json.dumps(options))
    assert DeltaTable(theirs, storage_options=options).version() == after["version"]


def test_azure_store():
    go_test("./objstore/azure", "Azurite", MARISMA_AZURITE=str(AZURITE))


def test_s3_store():
    go_test("./objstore/s3", "Moto", MARISMA_MOTO=str(MOTO))


def test_table_on_azure(server, reader):
    port = server(AZURITE, "--blobPort", "PORT", "--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry")
    endpoint = f"http://127.0.0.1:{port}/devstoreaccount1"
    go_test("./interop/store", "TableOnAzure", MARISMA_AZURE_CONTAINER=endpoint + "/interop", AZURE_STORAGE_KEY=KEY)
    both_read(reader, endpoint + "/interop/t", "az://interop/t", {
        "azure_storage_account_name": "devstoreaccount1", "azure_storage_account_key": KEY,
        "azure_storage_endpoint": endpoint, "azure_allow_http": "true",
    }, {"AZURE_STORAGE_KEY": KEY})


def test_table_on_s3(server, reader):
    port = server(MOTO, "-p", "PORT")
    endpoint = f"http://127.0.0.1:{port}"
    urllib.request.urlopen(urllib.request.Request(endpoint + "/interop", method="PUT")).close()
    env = {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
    go_test("./interop/store", "TableOnS3", MARISMA_S3_BUCKET="s3://interop", **env)
    both_read(reader, "s3://interop/t", "s3://interop/t", {
        "aws_access_key_id": "key", "aws_secret_access_key": "secret", "aws_region": "us-east-1",
        "aws_endpoint_url": endpoint, "aws_allow_http": "true",
    }, env)
