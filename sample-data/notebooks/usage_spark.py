"""Opens the lake in Spark; the SQL of usage_duckdb.py then works unchanged. Not run by CI."""

from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession

builder = (
    SparkSession.builder.config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
)
spark = configure_spark_with_delta_pip(builder).getOrCreate()
spark.read.format("delta").load("lake/sign_in_records").createOrReplaceTempView("sign_in_records")
