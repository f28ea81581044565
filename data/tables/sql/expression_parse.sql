-- Parse a statement without running it.
-- in:   $statement: text
-- out:  one row: its syntax tree as JSON, or why it cannot be parsed
SELECT json_serialize_sql($statement::VARCHAR)::VARCHAR AS tree
