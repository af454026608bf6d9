-- name: notices_waiting
SELECT {notice} FROM notice ORDER BY id LIMIT :at_most

-- name: notices_deleted
DELETE FROM notice WHERE id = ANY(:ids)

-- name: causes_chained_by
-- A chain's key is what ended, then the trigger.
SELECT work_order.cause FROM once_only JOIN work_order ON work_order.id = once_only.target_id
WHERE once_only.kind = 1 AND once_only.key >= :first AND once_only.key < :last

-- name: last_lines_of_run
SELECT source, message FROM log_line WHERE attempt_id = :attempt_id AND run_id = :run_id ORDER BY seq DESC LIMIT :at_most
