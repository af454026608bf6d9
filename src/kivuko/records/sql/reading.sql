-- name: attempt_read
SELECT {attempt} FROM attempt WHERE id = :id

-- name: work_order_read
SELECT {work_order} FROM work_order WHERE id = :id

-- name: work_order_of_attempt
SELECT {work_order} FROM work_order WHERE id = (SELECT work_order_id FROM attempt WHERE id = :id)

-- name: runs_read
-- Two look-ups in one list: with OR between them PostgreSQL would read all Runs there are.
SELECT {run} FROM run WHERE id IN (
    SELECT id FROM run WHERE attempt_id = :id UNION ALL SELECT run_id FROM attempt_run WHERE attempt_id = :id
)
ORDER BY id

-- name: live_read
SELECT {live_attempt} FROM live_attempt WHERE attempt_id = :id

-- name: run_lines
SELECT message FROM log_line WHERE attempt_id = :attempt_id AND run_id = :run_id ORDER BY seq LIMIT :at_most

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

-- name: last_output_of_job
-- By id first: a job may have a million Runs, and those that ended last are among the newest.
SELECT output_dataclip_id FROM (
    SELECT output_dataclip_id, finished_at, id FROM run WHERE job_id = :job_id AND exit_code = 0 AND output_dataclip_id IS NOT NULL
    ORDER BY id DESC LIMIT 100
) AS newest
ORDER BY finished_at DESC, id DESC LIMIT 1

-- name: last_state_of_workflow
SELECT attempt.final_dataclip_id FROM work_order JOIN attempt ON attempt.work_order_id = work_order.id
WHERE work_order.workflow_id = :workflow_id AND attempt.state = 10 AND attempt.final_dataclip_id IS NOT NULL
ORDER BY work_order.id DESC, attempt.id DESC LIMIT 1

-- name: unfinished_of_trigger
SELECT attempt.id FROM live_attempt JOIN attempt ON attempt.id = live_attempt.attempt_id
JOIN work_order ON work_order.id = attempt.work_order_id
WHERE live_attempt.workflow_id = :workflow_id AND work_order.trigger_id = :trigger_id AND attempt.state < 10
ORDER BY attempt.id

-- name: held_attempts
SELECT attempt_id, claim_number FROM live_attempt WHERE worker_id = :worker_id AND state IN (2, 3, 4) ORDER BY attempt_id
