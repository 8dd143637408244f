-- Every message as the hub took it: the body byte for byte, and the message
-- properties as Event Hubs shows them to a Kafka reader (AMQP-typed bytes: a
-- short string has two bytes in front).
CREATE OR REFRESH STREAMING TABLE bronze_telemetry
COMMENT 'Device messages as received, one row a message'
TBLPROPERTIES ('quality' = 'bronze')
AS SELECT
  CAST(key AS STRING) AS device_id,
  value AS body,
  CAST(substring(get(filter(headers, h -> h.key = 'firmware'), 0).value, 3) AS STRING) AS firmware,
  CAST(substring(get(filter(headers, h -> h.key = 'content-type'), 0).value, 3) AS STRING) AS content_type,
  partition,
  offset,
  timestamp AS enqueued_at
FROM STREAM read_kafka(
  bootstrapServers => '${hub_endpoint}',
  subscribe => '${hub_topic}',
  startingOffsets => 'earliest',
  includeHeaders => 'true'
);
