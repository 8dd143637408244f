"""Write a table with delta-rs and read it back: write_deltalake.py FOLDER."""
import sys

import duckdb
from deltalake import DeltaTable, write_deltalake

QUERY = """
select i::bigint as i64, (i % 7)::int as i32, i::smallint as i16, i::tinyint as i8, i % 2 = 0 as b,
       case when i % 5 = 0 then null else i / 3.0::double end as f64, (i / 4.0)::float as f32,
       'text ' || i || ' ñ' as s, ('x' || i)::blob as bin, date '1969-12-28' + i::int as d,
       (timestamptz '2024-02-29 23:59:59.999999+00' + to_seconds(i)) as ts,
       (i * 1000.0001)::decimal(20,4) as dec, [i::varchar, null] as l, map {{'k': i}} as m,
       {{'x': i::int, 'y': null::varchar}} as st,
       (['plain', 'with space', 'a/b', '50%', 'a=b', 'k:v', 'ñandú', 'a+b&c', 'q?#x', null])[i % 10 + 1] as p
from range({0}, {1}) r(i)
"""

folder = sys.argv[1]
db = duckdb.connect()
db.execute("set timezone='UTC'")
for n in range(13):
    write_deltalake(folder, db.sql(QUERY.format(n * 8, n * 8 + 8)), mode="append", partition_by=["p"])
    if n == 9:
        DeltaTable(folder).create_checkpoint()
table = DeltaTable(folder)
table.delete("i64 % 9 = 4")
table.optimize.compact()
table.update_incremental()
