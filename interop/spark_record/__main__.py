"""Records what real Spark answers.

    python -m spark_record STATEMENTS OUT     every *.jsonl and *.sql of a folder to OUT/*.jsonl
    python -m spark_record --serve SETUP      lists of cases on stdin, lists of answers on stdout, a line each

A line of *.jsonl is a case of internal/query/corpus without its answer; an
answer that it has already is replaced. Statements of *.sql end in ";" at the
end of a line. setup.sql of the folder makes the base tables in schema lab.
"""
import json
import sys
from pathlib import Path

from .oracle import Oracle

ANSWER = ("names", "types", "rows", "error")


def bare(case):
    """A case without its answer."""
    case = {k: v for k, v in case.items() if k not in ANSWER}
    if "steps" in case:
        case["steps"] = [bare(s) for s in case["steps"]]
    return case


def read(path):
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return [bare(json.loads(line)) for line in content.splitlines() if line.strip()]
    statements = [s.strip().removesuffix(";").strip() for s in content.split(";\n")]
    return [{"id": f"{path.stem}-{i:04d}", "sql": s} for i, s in enumerate((s for s in statements if s), 1)]


def record(statements, out):
    oracle = Oracle(statements)
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(statements.iterdir()):
        if path.suffix not in (".jsonl", ".sql") or path.name == "setup.sql":
            continue
        answers = oracle.answers(read(path))
        lines = (json.dumps(a, ensure_ascii=False) + "\n" for a in answers)
        (out / (path.stem + ".jsonl")).write_text("".join(lines), encoding="utf-8")
        print(f"{path.name}: {len(answers)} answers")
    oracle.close()


def serve(setup):
    oracle = Oracle(setup, light=True)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(oracle.answers(json.loads(line)), ensure_ascii=False), flush=True)
    oracle.close()


if len(sys.argv) != 3:
    raise SystemExit(__doc__)
if sys.argv[1] == "--serve":
    serve(sys.argv[2])
else:
    record(Path(sys.argv[1]), Path(sys.argv[2]))
