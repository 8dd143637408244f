-- Every message as the hub took it, the body byte for byte.
CREATE OR REFRESH STREAMING TABLE bronze_readings
COMMENT 'Device messages as received, one row a message'
TBLPROPERTIES ('quality' = 'bronze')
AS SELECT
  CAST(key AS STRING) AS device_id,
  value AS body,
  partition,
  offset,
  timestamp AS enqueued_at
FROM STREAM read_kafka(
  bootstrapServers => '${hub_endpoint}',
  subscribe => '${hub_topic}',
  startingOffsets => 'earliest'
);
