"""Write a table with Spark and delta-spark: write_spark.py FOLDER."""
import sys

import spark

folder = sys.argv[1]
session = spark.session()
SELECT = """
select id as i64, cast(id % 7 as int) as i32, cast(id as smallint) as i16, cast(id as tinyint) as i8, id % 2 = 0 as b,
       if(id % 5 = 0, null, id / 3D) as f64, cast(id / 4 as float) as f32, concat('text ', id, ' ñ') as s,
       cast(concat('x', id) as binary) as bin, date_add(date'1969-12-28', cast(id as int)) as d,
       timestamp'2024-02-29 23:59:59.999999Z' + make_dt_interval(0, 0, 0, id) as ts,
       cast(id * 1000.0001 as decimal(20,4)) as dec, array(cast(id as string), null) as l, map('k', id) as m,
       named_struct('x', cast(id as int), 'y', cast(null as string)) as st,
       element_at(array('plain', 'with space', 'a/b', '50%', 'a=b', 'k:v', 'ñandú', 'a+b&c', 'q?#x', null), cast(id % 10 as int) + 1) as p
from range({0}, {1})
"""
for n in range(6):
    frame = session.sql(SELECT.format(n * 16, n * 16 + 16)).coalesce(1)
    frame.write.format("delta").mode("append").partitionBy("p").option("delta.checkpointInterval", "4").save(folder)
session.sql(f"alter table delta.`{folder}` set tblproperties ('delta.checkpointInterval' = '3')")
session.sql(f"delete from delta.`{folder}` where i64 % 9 = 4")
session.sql(f"update delta.`{folder}` set s = 'changed' where i64 % 11 = 3")
session.sql(f"optimize delta.`{folder}`").collect()
session.sql(f"alter table delta.`{folder}` add column (later int comment 'came later')")
session.sql(f"insert into delta.`{folder}` select *, 7 from ({SELECT.format(110, 120)})")
session.stop()
