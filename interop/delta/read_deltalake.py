"""Read a table with delta-rs: read_deltalake.py FOLDER [VERSION], in the cloud with the JSON of STORAGE_OPTIONS."""
import json
import os
import sys

import duckdb
from deltalake import DeltaTable, QueryBuilder

import rows

table = DeltaTable(sys.argv[1], version=int(sys.argv[2]) if len(sys.argv) > 2 else None,
                   storage_options=json.loads(os.environ.get("STORAGE_OPTIONS", "null")))
batches = QueryBuilder().register("t", table).execute("select * from t").read_all()
db = duckdb.connect()
db.execute("set timezone='UTC'")
db.register("arrow", batches)
zoned = [f"timezone('UTC', \"{c}\") as \"{c}\"" for c, t in zip(*(lambda r: (r.columns, r.types))(db.sql("select * from arrow")))
         if str(t) == "TIMESTAMP WITH TIME ZONE"]
rel = db.sql("select * " + (f"replace ({', '.join(zoned)}) " if zoned else "") + "from arrow")
rows.report("deltalake", table.version(), len(table.file_uris()), rel.columns, rel.fetchall())
