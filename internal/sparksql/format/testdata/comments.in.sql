-- the file

-- about the query,
-- in two lines
select a, -- the first
  b -- the second
  , c /* third */, /* before d */ d
-- from where
from t -- a table
/* a block
   of two lines */
where a = 1 -- one
  and b = 2 -- two

  -- and a reason
  and c = 3
; -- done

/* between */ select 1; select 2 -- at the end
-- last words