"""A local Spark session with Delta, in UTC."""
from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession


def session(**settings):
    """A session with further settings, dots of their names as double underscores."""
    builder = (SparkSession.builder.master("local[2]").appName("interop")
               .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
               .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
               .config("spark.sql.session.timeZone", "UTC")
               .config("spark.ui.enabled", "false")
               .config("spark.ui.showConsoleProgress", "false")
               .config("spark.databricks.delta.snapshotPartitions", "2")
               .config("spark.sql.shuffle.partitions", "2")
               .config("spark.driver.memory", "1g"))
    for key, value in settings.items():
        builder = builder.config(key.replace("__", "."), value)
    made = configure_spark_with_delta_pip(builder).getOrCreate()
    made.sparkContext.setLogLevel("ERROR")
    return made
