"""Counts every reading after a crash test, reading the tables with delta-rs.

    check.py --tables tables.json --sent sent.jsonl

tables.json maps full table names to folders; sent.jsonl has one line for each
time that a body was sent or acknowledged. Prints what it counted and exits 1
with each rule that does not hold:

- acknowledged bodies are in bronze;
- a (partition, offset) is in bronze once, and offsets have no gap;
- a body is in bronze at most as often as it was sent;
- each row of bronze is in exactly one of silver and its quarantine table;
- each row of bronze that fulfils the rule is in `kept` once, no other is;
- gold is what a recomputation from silver gives.
"""
import argparse
import collections
import json
import sys

from deltalake import DeltaTable


def rows(path):
    return DeltaTable(path).to_pyarrow_table().to_pylist()


def parse(body):
    """The fields of a body as from_json gives them: None, None if malformed."""
    try:
        o = json.loads(body)
    except ValueError:
        return None, None
    return o.get("id"), o.get("v")


def twice(keys):
    return [k for k, n in collections.Counter(keys).items() if n > 1]


def check(tables, sent, acked):
    """Gives (figures, broken rules)."""
    bad = []

    def rule(ok, text):
        if not ok:
            bad.append(text)

    bronze, silver = tables["bronze"], tables["silver"]
    aside, kept = tables["silver_quarantine"], tables["kept"]
    have = collections.Counter(r["body"] for r in bronze)
    lost = [b for b in acked if b not in have]
    rule(not lost, f"{len(lost)} acknowledged bodies are not in bronze, like {lost[:3]}")
    more = [b for b, n in have.items() if n > sent.get(b, 0)]
    rule(not more, f"{len(more)} bodies are in bronze more often than they were sent, like {more[:3]}")

    def key(r):
        return r["partition"], r["offset"]

    for name, table in (("bronze", bronze), ("silver", silver), ("silver_quarantine", aside), ("kept", kept)):
        d = twice(map(key, table))
        rule(not d, f"{len(d)} rows are doubled in {name}, like {d[:3]}")
    ends = {}
    for p, o in map(key, bronze):
        ends.setdefault(p, []).append(o)
    for p, offsets in ends.items():
        gaps = max(offsets) + 1 - len(set(offsets))
        rule(min(offsets) == 0 and gaps == 0, f"partition {p} starts at {min(offsets)} and misses {gaps} offsets in bronze")

    b, s, q, k = ({key(r) for r in t} for t in (bronze, silver, aside, kept))
    both = s & q
    rule(not both, f"{len(both)} rows are in silver and in its quarantine, like {sorted(both)[:3]}")
    neither = b - s - q
    rule(not neither, f"{len(neither)} rows of bronze are neither in silver nor set aside, like {sorted(neither)[:3]}")
    foreign = (s | q | k) - b
    rule(not foreign, f"{len(foreign)} rows downstream are not in bronze, like {sorted(foreign)[:3]}")
    good, valid = set(), set()
    for r in bronze:
        i, v = parse(r["body"])
        if v is not None and v >= 0:
            valid.add(key(r))
            if i is not None:
                good.add(key(r))
    rule(s == good, f"silver differs from the rule in {len(s ^ good)} rows, like {sorted(s ^ good)[:3]}")
    rule(k == valid, f"kept differs from the rule in {len(k ^ valid)} rows, like {sorted(k ^ valid)[:3]}")

    want = {}
    for r in silver:
        n, top = want.get(r["device_id"], (0, r["v"]))
        want[r["device_id"]] = (n + 1, max(top, r["v"]))
    got = {r["device_id"]: (r["n"], r["top"]) for r in tables["gold"]}
    rule(got == want and len(got) == len(tables["gold"]), f"gold differs from a recomputation: {got} instead of {want}")
    figures = {
        "bodies": len(sent), "sent": sum(sent.values()), "acknowledged": len(acked), "bronze": len(bronze),
        "bronze bodies": len(have), "silver": len(silver), "quarantine": len(aside), "kept": len(kept),
        "dropped": len(bronze) - len(kept), "gold": len(tables["gold"]),
    }
    return figures, bad


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--tables", required=True)
    p.add_argument("--sent", required=True)
    a = p.parse_args()
    with open(a.tables) as f:
        paths = {name.split(".")[-1]: path for name, path in json.load(f).items()}
    sent, acked = collections.Counter(), set()
    with open(a.sent) as f:
        for line in f:
            n = json.loads(line)
            if n["event"] == "sent":
                sent[n["id"]] += 1
            else:
                acked.add(n["id"])
    names = ("bronze", "silver", "silver_quarantine", "kept", "gold")
    figures, bad = check({n: rows(paths[n]) for n in names}, sent, acked)
    print(", ".join(f"{k} {v}" for k, v in figures.items()))
    for b in bad:
        print("BROKEN:", b)
    print(f"{6 if not bad else 6 - min(6, len(bad))} passed, {len(bad)} failed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
