-- the file

-- about the query,
-- in two lines
SELECT
  a, -- the first
  b, -- the second
  c /* third */,
  /* before d */ d
-- from where
FROM t -- a table
/* a block
   of two lines */
WHERE a = 1 -- one
  AND b = 2 -- two
  -- and a reason
  AND c = 3; -- done

/* between */ SELECT 1;

SELECT 2; -- at the end

-- last words
