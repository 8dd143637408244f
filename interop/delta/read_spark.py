"""Read tables with Spark and delta-spark: read_spark.py FOLDER..., a line each."""
import os
import sys
import time

os.environ["TZ"] = "UTC"
time.tzset()

import spark  # noqa: E402
import rows  # noqa: E402

session = spark.session()
for folder in sys.argv[1:]:
    frame = session.read.format("delta").load(folder)
    version = session.sql(f"describe history delta.`{folder}` limit 1").first()["version"]
    rows.report("spark", version, len(frame.inputFiles()), frame.columns, [tuple(r) for r in frame.collect()])
session.stop()
