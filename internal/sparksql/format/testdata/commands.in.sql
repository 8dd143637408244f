show tables in bronze like 'a*'; show   create table t; describe extended a.b.c; desc history t; use main.default; use schema x;
set spark.sql.ansi.enabled=false; set; set time zone 'UTC'; reset spark.x; set catalog c;
create schema if not exists s comment 'x' with dbproperties (a='b'); drop schema if exists s cascade; drop table if exists t; drop view v;
describe query select  1; refresh table t; show columns in t; show functions like 'a*';
explain select a from t; explain extended with x as (select 1) select * from x; explain formatted show tables;
