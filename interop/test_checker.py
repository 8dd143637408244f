"""The crash test's checker notices what it is there for."""
import collections
import sys

import pytest

from marisma import REPO

sys.path.insert(0, str(REPO / "crash"))
from check import check  # noqa: E402

pytestmark = pytest.mark.smoke


def tables():
    """A run without a fault: ten bodies, one below zero, one malformed, one sent and stored twice."""
    bodies = ['{"id":"d-%d","v":%d}' % (i, i) for i in range(8)] + ['{"id":"d-8","v":-1}', "broken d-9"]
    bodies.append(bodies[0])
    bronze = [{"device_id": "d", "body": b, "partition": 0, "offset": i} for i, b in enumerate(bodies)]
    good = [r for r in bronze if r["offset"] not in (8, 9)]
    value = {r["offset"]: (0.0 if r["offset"] == 10 else float(r["offset"])) for r in bronze}

    def row(r):
        return {"id": "d", "v": value[r["offset"]], "device_id": "d", "partition": 0, "offset": r["offset"]}

    return {
        "bronze": bronze, "silver": [row(r) for r in good], "kept": [row(r) for r in good],
        "silver_quarantine": [row(r) for r in bronze if r["offset"] in (8, 9)],
        "gold": [{"device_id": "d", "n": len(good), "top": 7.0}],
    }


def notes(t):
    return collections.Counter(r["body"] for r in t["bronze"]), {r["body"] for r in t["bronze"]}


def broken(change):
    t = tables()
    sent, acked = notes(t)
    change(t)
    return check(t, sent, acked)[1]


def test_no_fault_passes():
    assert broken(lambda t: None) == []


def test_planted_loss_of_an_acknowledged_reading():
    assert any("acknowledged" in b for b in broken(lambda t: t["bronze"].pop(3)))


def test_planted_double_in_bronze():
    assert any("doubled in bronze" in b for b in broken(lambda t: t["bronze"].append(t["bronze"][2])))


def test_planted_body_stored_more_often_than_sent():
    def change(t):
        t["bronze"].append({**t["bronze"][2], "offset": 11})
    assert any("more often" in b for b in broken(change))


@pytest.mark.parametrize("name", ["silver", "kept", "silver_quarantine"])
def test_planted_loss_downstream(name):
    assert broken(lambda t: t[name].pop(0))


@pytest.mark.parametrize("name", ["silver", "kept", "silver_quarantine"])
def test_planted_double_downstream(name):
    assert any("doubled" in b for b in broken(lambda t: t[name].append(t[name][0])))


def test_row_in_both_sinks():
    assert any("in silver and in its quarantine" in b for b in broken(lambda t: t["silver_quarantine"].append(t["silver"][0])))


def test_stale_view():
    def change(t):
        t["gold"][0]["n"] -= 1
    assert any("gold" in b for b in broken(change))
