"""Reads Delta tables with Spark and writes every value as its CAST to STRING.

    spark_read.py out.json name=folder...
"""
import json
import sys

from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession

out, *tables = sys.argv[1:]
builder = (SparkSession.builder.master("local[2]").appName("read")
           .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
           .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
           .config("spark.databricks.delta.snapshotPartitions", "2")
           .config("spark.sql.session.timeZone", "UTC")
           .config("spark.ui.enabled", "false"))
spark = configure_spark_with_delta_pip(builder).getOrCreate()
result = {}
for item in tables:
    name, folder = item.split("=", 1)
    df = spark.read.format("delta").load(folder)
    text = df.selectExpr(*(f"cast(`{c}` as string) as `{c}`" for c in df.columns))
    result[name] = {
        "columns": [[f.name, f.dataType.simpleString()] for f in df.schema.fields],
        "rows": [list(r) for r in text.collect()],
    }
with open(out, "w") as f:
    json.dump(result, f)
spark.stop()
