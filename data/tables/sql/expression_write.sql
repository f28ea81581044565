-- Write a syntax tree as text, without running it.
-- in:   $tree: JSON, as expression_parse.sql gives it
-- out:  one row: the statement
SELECT json_deserialize_sql($tree::JSON) AS statement
