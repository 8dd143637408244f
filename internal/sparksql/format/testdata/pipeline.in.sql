create or refresh streaming table t (a int comment 'x', b string not null, constraint c1 expect (a is not null) on violation drop row, constraint c2 expect (b <> '') on violation fail update, constraint c3 expect(a>0))
using delta partitioned by (a, b) comment 'hello' tblproperties ('quality'='bronze', delta.appendOnly = true)
as select * from stream(read_kafka(bootstrapServers=>'${servers}', subscribe=>'${topic}')) ;
create streaming table if not exists plain;
create or refresh private materialized view mv cluster by auto schedule every 1 hour as with x as (select 1 a) select * from x;
create or refresh materialized view nothing_else as select a from b;
create temporary view v (constraint c expect (a>1)) as select 1 a;
create or replace view w (a comment 'first', b) comment 'c' tblproperties ('a'='b') as select 1, 2;
create global temp view g as select 1; create view if not exists h as table t;
create flow f comment 'c' as insert into t by name select * from stream s watermark ts as time delay of interval 10 minutes;
create flow once_only as insert into once t by name select 1 a;
create flow cdc as auto cdc into target from stream(source) keys (id, k) ignore null updates apply as delete when op='D' apply as truncate when op='T' sequence by struct(ts, n) columns * except (op, ts) stored as scd type 2 track history on * except (city);
apply changes into target from stream source keys (id) sequence by ts stored as scd type 1;
create or refresh streaming table u flow auto cdc from stream(source) keys (id) sequence by ts columns (a, b);
create or refresh streaming table u2 flow insert by name select * from stream(source);
