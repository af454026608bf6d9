-- name: last_lines
SELECT attempt_id, max(seq) FROM log_line WHERE attempt_id = ANY(:ids) GROUP BY attempt_id
