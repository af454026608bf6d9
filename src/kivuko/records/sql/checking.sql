-- What must never be found. Each statement gives ids of what is wrong.

-- name: unfinished_without_place
SELECT id FROM attempt WHERE state < 10 AND NOT EXISTS (SELECT 1 FROM live_attempt WHERE live_attempt.attempt_id = attempt.id) LIMIT :at_most

-- name: place_without_attempt
SELECT attempt_id FROM live_attempt
WHERE NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.id = live_attempt.attempt_id AND (attempt.state < 10 OR live_attempt.state = 4))
LIMIT :at_most

-- name: attempt_without_work_order
SELECT id FROM attempt WHERE NOT EXISTS (SELECT 1 FROM work_order WHERE work_order.id = attempt.work_order_id) LIMIT :at_most

-- name: run_without_attempt
SELECT id FROM run WHERE NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.id = run.attempt_id) LIMIT :at_most

-- name: run_left_unfinished
SELECT run.id FROM run JOIN attempt ON attempt.id = run.attempt_id
WHERE run.finished_at IS NULL AND attempt.state >= 10 LIMIT :at_most

-- name: job_state_without_run
SELECT run_id FROM job_state WHERE NOT EXISTS (SELECT 1 FROM run WHERE run.id = job_state.run_id) LIMIT :at_most

-- name: run_without_job_state
SELECT id FROM run
WHERE message_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM job_state WHERE job_state.message_id = run.message_id AND job_state.job_id = run.job_id
)
LIMIT :at_most

-- name: message_without_body_row
SELECT id FROM message
WHERE NOT EXISTS (
    SELECT 1 FROM message_version WHERE message_version.message_id = message.id AND message_version.version = message.newest_version
)
LIMIT :at_most

-- name: body_row_without_message
SELECT message_id FROM message_version WHERE NOT EXISTS (SELECT 1 FROM message WHERE message.id = message_version.message_id) LIMIT :at_most

-- name: work_order_without_message
SELECT id FROM work_order
WHERE message_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM message WHERE message.id = work_order.message_id) LIMIT :at_most

-- name: stored_objects
SELECT object_key FROM message_version WHERE object_key IS NOT NULL
UNION ALL
SELECT object_key FROM dataclip WHERE object_key IS NOT NULL
