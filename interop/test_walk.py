"""Random statements on tables of this project's, of Spark's, and on one that both change by turns.

WALK_SEED and WALK_STEPS walk elsewhere and further.
"""
import os
import sys
import time
from pathlib import Path

import pytest

from marisma import Server

sys.path.insert(0, str(Path(__file__).resolve().parent / "delta"))


@pytest.mark.spark
def test_walk(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    from engines import Here, Spark
    from test_matrix import QUICK
    import spark
    import walk
    project = tmp_path / "source"
    project.mkdir()
    (project / "databricks.yml").write_text("bundle:\n  name: walk\ntargets:\n  local:\n    default: true\n")
    (project / "marisma.yml").write_text(
        f"hub:\n  name: walk-hub\nlisteners:\n  http: 127.0.0.1:0\n  mqtts: 127.0.0.1:0\npaths:\n  - {tmp_path}\n")
    server = Server(project, tmp_path).start()
    session = spark.session(**QUICK)
    try:
        first, steps = int(os.environ.get("WALK_SEED", 1)), int(os.environ.get("WALK_STEPS", 12))
        begun = time.monotonic()
        for seed in range(first, first + 3):
            walk.walk(tmp_path, seed, steps, Here(server), Spark(session), lambda what: print(f"{time.monotonic() - begun:6.1f} s  {what}", flush=True))
    finally:
        session.stop()
        server.stop()
