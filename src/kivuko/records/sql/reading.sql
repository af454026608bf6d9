-- name: attempt_read
SELECT {attempt} FROM attempt WHERE id = :id

-- name: work_order_read
SELECT {work_order} FROM work_order WHERE id = :id

-- name: runs_read
SELECT {run} FROM run WHERE attempt_id = :id OR id IN (SELECT run_id FROM attempt_run WHERE attempt_run.attempt_id = :id) ORDER BY id

-- name: dataclip_read
SELECT {dataclip} FROM dataclip WHERE id = :id

-- name: message_read
SELECT {message} FROM message WHERE id = :id

-- name: lines_read
SELECT {log_line} FROM log_line WHERE attempt_id = :id AND seq > :seq ORDER BY seq LIMIT :at_most

-- name: waiting_by_queue [sqlite]
SELECT queue, count(*), min(attempt_id) FROM live_attempt WHERE state = 0 GROUP BY queue

-- name: waiting_by_queue [postgresql]
-- PostgreSQL 15 has no min(uuid).
SELECT queue, count(*), (array_agg(attempt_id ORDER BY attempt_id))[1] FROM live_attempt WHERE state = 0 GROUP BY queue
