"""The peer: the bench pipeline's job as a Spark user writes it.

    spark_stream.py broker table checkpoint out.json backlog|live

`backlog` reads what the topic holds and ends; `live` runs until terminated.
out.json gets one line per batch: id, rows, seconds.
"""
import json
import sys

from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

broker, table, checkpoint, out, mode = sys.argv[1:]
builder = (SparkSession.builder.master("local[2]").appName("bench")
           .config("spark.driver.memory", "4g")
           .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
           .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
           .config("spark.databricks.delta.snapshotPartitions", "2")
           .config("spark.sql.shuffle.partitions", "2")
           .config("spark.sql.session.timeZone", "UTC")
           .config("spark.ui.enabled", "false"))
spark = configure_spark_with_delta_pip(
    builder, extra_packages=["org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0"]).getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
schema = ("device STRING, ts TIMESTAMP, seq BIGINT, temperature DOUBLE, pressure DOUBLE, vibration DOUBLE, "
          "power_kw DOUBLE, status STRING")
raw = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", broker).option("subscribe", "telemetry")
       .option("startingOffsets", "earliest").option("maxOffsetsPerTrigger", 500_000).load())
rows = raw.select(f.from_json(f.col("value").cast("string"), schema).alias("r"), "partition", "offset").select(
    "r.device", "r.ts", "r.seq", "r.temperature", "r.pressure", "r.vibration", "r.power_kw", "r.status", "partition", "offset")
keep = f.expr("device IS NOT NULL AND ts IS NOT NULL AND (temperature IS NULL OR temperature BETWEEN -60 AND 1400)")
warn = f.struct(f.sum(f.expr("CAST(temperature IS NOT NULL AS INT)")).alias("a"), f.sum(f.expr("CAST(status = 'running' AS INT)")).alias("b"))
# The two warning rules are counted as Spark's users count them, by observed metrics.
kept = rows.observe("rules", f.count(f.lit(1)).alias("n"), warn.a.alias("has_temperature"), warn.b.alias("running")).where(keep)
writer = kept.writeStream.format("delta").option("checkpointLocation", checkpoint)
if mode == "backlog":
    writer = writer.trigger(availableNow=True)
query = writer.start(table)
done = -1
with open(out, "w") as o:
    while True:
        ended = query.awaitTermination(1)
        for p in query.recentProgress:
            if p["batchId"] > done and p["numInputRows"]:
                done = p["batchId"]
                print(json.dumps({"batch": done, "rows": p["numInputRows"], "ms": p["durationMs"]["triggerExecution"]}), file=o, flush=True)
        if ended:
            break
