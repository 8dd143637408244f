declare or replace variable total bigint default 0; declare x, y int; set var x = 1, y = x + 1; set variable (x, y) = (select 1, 2);
drop temporary variable if exists x;
execute immediate 'select ?' into y using 1; execute immediate q using (1 as a, 2 b);
create or replace temporary function f(a int, b int default 10 comment 'second') returns string deterministic comment 'joins' return concat(a, '-', b);
create function t(n int) returns table (i int comment 'one', j string) return select i, 'x' from range(10) where i < n;
alter view v as select 1 as a; alter view v rename to w; alter view v set tblproperties ('a' = 'b'); alter view v unset tblproperties if exists ('a'); alter view v with schema type evolution;
alter schema s set dbproperties ('a' = 'b'); comment on table t is 'text'; refresh table t; cache table t; analyze table t compute statistics noscan;
select identifier('k'), identifier(:c) from identifier('lab' || '.pa') as t; describe identifier(x); drop function f;
-- a script
begin
declare i, s int default 0; -- two of them
declare c condition for sqlstate '45000';
declare exit handler for divide_by_zero, sqlstate value '22018', not found begin set i = -1; end;
declare exit handler for sqlexception select 'h' as r;
/* loop */ lp: while i < 5 do set i = i + 1; if i = 2 then iterate lp; elseif i = 4 then leave lp; else set s = s + i; end if; end while lp;
repeat set i = i + 2; until i >= 7 end repeat;
l2: loop leave l2; end loop;
case i when 1 then select 'a' as r; else select 'b' as r; end case;
case when i > 1 then select 1; end case;
for row as select k, n from lab.pa where n is not null do set (s, i) = (select 1, 2); end for;
inner_b: begin select 1; show tables in s like 'a*'; end inner_b;
end;
