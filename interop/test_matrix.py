"""Every feature of Delta, made, read and changed by this project, Spark and delta-rs in turn."""
import os
import sys
import time
from pathlib import Path

import pytest

from marisma import Server

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "delta"))

# Tables of ten rows: compiling anything costs more than it saves.
QUICK = {
    "spark__driver__extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Duser.timezone=UTC",
    "spark__databricks__delta__snapshotPartitions": "1", "spark__sql__shuffle__partitions": "1", "spark__sql__adaptive__enabled": "false",
    "spark__sql__codegen__wholeStage": "false", "spark__sql__codegen__factoryMode": "NO_CODEGEN",
    "spark__sql__parquet__compression__codec": "snappy", "spark__ui__retainedStages": "5", "spark__ui__retainedJobs": "5",
    # The plans of thousands of statements, else kept as text and as trees, fill a heap of 1 GB long before the end.
    "spark__sql__ui__retainedExecutions": "5", "spark__ui__retainedTasks": "50", "spark__sql__maxPlanStringLength": "1000",
    "spark__driver__memory": "3g",
}


@pytest.fixture
def server(tmp_path):
    project = tmp_path / "source"
    project.mkdir()
    (project / "databricks.yml").write_text("bundle:\n  name: matrix\ntargets:\n  local:\n    default: true\n")
    (project / "marisma.yml").write_text("hub:\n  name: matrix-hub\nlisteners:\n  http: 127.0.0.1:0\n  mqtts: 127.0.0.1:0\n")
    s = Server(project, tmp_path)
    yield s
    s.stop()


def play(server, session):
    """All cases, printed; what is not as listed fails."""
    import matrix
    import report
    begun = time.monotonic()
    only = [k for k in os.environ.get("MATRIX_ONLY", "").split(",") if k]
    run = matrix.Run(server, session, lambda what: print(f"{time.monotonic() - begun:6.1f} s  {what}", flush=True), only)
    try:
        server.start()
        run.place()
        run.make_here()
        run.locate()
        server.stop()
        run.tick("made here")
        run.make_there()
        run.tick("made there")
        server.start()
        run.check_all()
    finally:
        report.show(run.results)
    wrong = report.surprises(run.results)
    assert not wrong, "\n".join(wrong)


@pytest.mark.smoke
def test_features_with_delta_rs(server):
    play(server, None)


@pytest.mark.smoke
def test_the_reference_is_what_the_gaps_say():
    import report
    page = HERE.parent / "docs" / "reference" / "delta.md"
    if os.environ.get("MATRIX_WRITE"):
        page.write_text(report.reference())
    assert page.read_text() == report.reference(), "MATRIX_WRITE=1 writes it anew"


@pytest.mark.spark
def test_matrix(server, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    import spark
    session = spark.session(**QUICK)
    try:
        play(server, session)
    finally:
        session.stop()
