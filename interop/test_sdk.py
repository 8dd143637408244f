"""The unmodified device SDKs: readings with their properties are in silver."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from marisma import REPO, Server, node_modules

HERE = Path(__file__).resolve().parent
COUNT = 25


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    s = Server(REPO / "examples" / "plant", tmp_path_factory.mktemp("sdk"), mqtts="127.0.0.1:8883")
    s.start()
    yield s
    s.stop()


PYTHON = [sys.executable, HERE / "sdk" / "python_device.py"]
NODE = ["node", HERE / "sdk" / "node_device.js"]


def device(plant, command, string, count=COUNT, env=None):
    return subprocess.run(
        [*command, "--connection-string", string, "--ca", plant.ca, "--count", str(count), "--property", "firmware=9.8.7"],
        capture_output=True, text=True, timeout=120, env={**os.environ, **(env or {})})


def send(plant, string, command, env=None):
    p = device(plant, command, string, env=env)
    assert p.returncode == 0, p.stderr
    sent = [json.loads(line) for line in p.stdout.splitlines()]
    assert [s["acknowledged"] for s in sent] == list(range(COUNT))


def arrived(plant, device):
    # The machine is not in the master data, so silver sets it aside with that one reason.
    return plant.until(
        f"SELECT device_id, seq, temperature, firmware, _failed_expectations AS why "
        f"FROM silver_readings_quarantine WHERE device_id = '{device}' ORDER BY seq",
        lambda rows: len(rows) == COUNT)


def check(rows):
    assert [r["seq"] for r in rows] == list(range(COUNT))
    assert {r["firmware"] for r in rows} == {"9.8.7"}
    assert {r["why"] for r in rows} == {"[machine_is_known]"}
    assert [r["temperature"] for r in rows] == [20 + i / 2 for i in range(COUNT)]


@pytest.mark.smoke
def test_python_sdk(plant):
    send(plant, plant.connection_string("py-device"), PYTHON)
    check(arrived(plant, "py-device"))


@pytest.mark.smoke
def test_node_sdk(plant):
    send(plant, plant.connection_string("node-device"), NODE, {"NODE_PATH": node_modules()})
    check(arrived(plant, "node-device"))


@pytest.mark.smoke
@pytest.mark.parametrize("machine,command", [("press-01", PYTHON), ("press-02", NODE)])
def test_known_machine_is_in_silver(plant, machine, command):
    """Readings of a machine of the master data are kept, with their properties."""
    string = json.loads(plant.run("device", "show", machine, "-o", "json"))["connection_string"]
    send(plant, string, command, {"NODE_PATH": node_modules()})
    rows = plant.until(f"SELECT seq, temperature, firmware, kind FROM silver_readings WHERE device_id = '{machine}' ORDER BY seq",
                       lambda rows: len(rows) == COUNT)
    assert [(r["seq"], r["temperature"]) for r in rows] == [(i, 20 + i / 2) for i in range(COUNT)]
    assert {r["kind"] for r in rows} == {"press"} and {r["firmware"] for r in rows} == {"9.8.7"}


@pytest.mark.smoke
def test_wrong_key_is_refused(plant):
    string = plant.connection_string("py-wrong")
    key = string.split("SharedAccessKey=")[1]
    wrong = string.replace(key, key[::-1].lstrip("=") + "=")
    p = device(plant, PYTHON, wrong, count=1)
    assert p.returncode != 0
    assert "Credential" in p.stderr or "Unauthorized" in p.stderr or "authori" in p.stderr.lower(), p.stderr
