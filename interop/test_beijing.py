"""A replay of real sensor data equals what beijing.py computes from the CSV."""
import datetime
import glob
import os

import pytest

from beijing import POLLUTANTS, compute
from marisma import REPO, Server

FILES = sorted(glob.glob(os.fspath(REPO.parent / "shared" / "data" / "beijing-air" / "*.csv")))
pytestmark = pytest.mark.skipif(not FILES, reason="the folder of real sensor data is absent")


@pytest.fixture(scope="module")
def air(tmp_path_factory):
    s = Server(REPO / "examples" / "air", tmp_path_factory.mktemp("air"))
    s.start()
    print(s.run("replay", *FILES, "--order", "event-time", timeout=900))
    print(s.run("pipeline", "run", timeout=900))
    yield s
    s.stop()


@pytest.fixture(scope="module")
def want():
    return compute(FILES)


def test_bronze(air, want):
    got = {r["station"]: r["n"] for r in air.sql("SELECT station, count(*) AS n FROM bronze GROUP BY station")}
    assert got == dict(want[0])


def test_silver(air, want):
    got = air.sql("SELECT station, row_number, observed_at, pm25, pm10, so2, no2, co, o3, temperature, wind_direction FROM silver")
    have = {}
    for r in got:
        at = datetime.datetime.fromisoformat(r["observed_at"])
        values = dict(zip(POLLUTANTS, (r["pm25"], r["pm10"], r["so2"], r["no2"], r["co"], r["o3"])))
        have[r["station"], r["row_number"]] = (at, values, r["temperature"], r["wind_direction"])
    assert len(have) == len(got)
    assert have == want[1]


def test_quarantine(air, want):
    got = air.sql("SELECT station, row_number, _failed_expectations AS why FROM silver_quarantine")
    have = {(r["station"], r["row_number"]): r["why"].strip("[]").split(", ") for r in got}
    assert len(have) == len(got)
    assert have == want[2]


def test_gold(air, want):
    got = air.sql("SELECT station, day, pollutant, observations, mean, maximum FROM gold_daily")
    have = {(r["station"], datetime.date.fromisoformat(r["day"]), r["pollutant"]): r for r in got}
    assert len(have) == len(got)
    assert have.keys() == want[3].keys()
    for k, (n, mean, top) in want[3].items():
        r = have[k]
        assert (r["observations"], r["maximum"]) == (n, top), k
        assert r["mean"] == pytest.approx(mean, rel=1e-12), k
    print(f"{sum(want[0].values())} rows, silver {len(want[1])}, quarantine {len(want[2])}, gold {len(want[3])}: equal")
