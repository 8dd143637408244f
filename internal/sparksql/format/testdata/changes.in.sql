create table if not exists t (id int not null comment 'key', v string default 'x', g int generated always as (id + 1)) using delta partitioned by (v) tblproperties ('a'='b');
create or replace table u using delta as select * from t where id>1; create table w as select 1 a;
insert into t values (1,'a'),(2,'b'); insert overwrite t partition (v='x') select id from u; insert into t (id, v) select 1, 'x'; insert into t by name select 1 id; insert into t replace where id>1 and v='x' select * from u;
with x as (select 1 id) insert into t select id from x;
update t as a set v='y', id=id+1 where v is null; delete from t where id in (select id from u);
merge into t using (select * from u) s on t.id=s.id and t.v=s.v when matched and s.id>5 then update set v=s.v, id = s.id when matched then delete when not matched then insert (id, v) values (s.id, s.v) when not matched by source then update set v='gone';
merge with schema evolution into t using u on t.id=u.id when matched then update set * when not matched then insert *;
alter table t add column n int; optimize t zorder by (id); vacuum t retain 168 hours; restore table t to version as of 3; truncate table t; drop table if exists t;
