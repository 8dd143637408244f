-- Master data: which machine stands where, and what it may measure.
CREATE OR REFRESH MATERIALIZED VIEW machines
COMMENT 'Machine master data from the maintenance department''s list'
AS SELECT device_id, kind, site, line, max_temperature, rated_kw
FROM read_files(
  '${machines_csv}',
  format => 'csv',
  header => true,
  schema => 'device_id STRING, kind STRING, site STRING, line STRING, max_temperature DOUBLE, rated_kw DOUBLE'
);
