CREATE OR REFRESH STREAMING TABLE bronze
COMMENT 'Station messages as received'
AS SELECT
  CAST(key AS STRING) AS station,
  value AS body,
  partition,
  offset,
  timestamp AS enqueued_at
FROM STREAM read_kafka(
  bootstrapServers => '${hub_endpoint}',
  subscribe => '${hub_topic}',
  startingOffsets => 'earliest'
);
