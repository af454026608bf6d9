-- name: messages_before
SELECT id FROM message WHERE project_id = :project_id AND id > :after AND id < :before ORDER BY id LIMIT :at_most

-- name: messages_wipeable
-- A message whose work is unfinished keeps its bodies.
SELECT message_id, object_key FROM message_version
WHERE message_id = ANY(:ids) AND wiped_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM work_order JOIN attempt ON attempt.work_order_id = work_order.id
    WHERE work_order.message_id = message_version.message_id AND attempt.state < 10
)

-- name: versions_wiped
UPDATE message_version SET body = NULL, object_key = NULL, wiped_at = :now_us WHERE message_id = ANY(:ids) AND wiped_at IS NULL

-- name: attempts_before
SELECT id FROM attempt WHERE project_id = :project_id AND id > :after AND id < :before ORDER BY id LIMIT :at_most

-- name: attempts_wipeable
SELECT dataclip.id, dataclip.object_key FROM dataclip
WHERE dataclip.attempt_id = ANY(:ids) AND dataclip.wiped_at IS NULL AND dataclip.name IS NULL AND dataclip.pinned_by IS NULL
    AND dataclip.id NOT IN (
        SELECT run.input_dataclip_id FROM live_attempt JOIN run ON run.attempt_id = live_attempt.attempt_id
        WHERE live_attempt.project_id = :project_id AND run.input_dataclip_id IS NOT NULL
    )
    AND dataclip.id NOT IN (
        SELECT work_order.dataclip_id FROM live_attempt JOIN attempt ON attempt.id = live_attempt.attempt_id
        JOIN work_order ON work_order.id = attempt.work_order_id
        WHERE live_attempt.project_id = :project_id AND work_order.dataclip_id IS NOT NULL
    )

-- name: saved_inputs_before
SELECT id FROM dataclip
WHERE project_id = :project_id AND attempt_id IS NULL AND id > :after AND id < :before ORDER BY id LIMIT :at_most

-- name: saved_inputs_wipeable
SELECT dataclip.id, dataclip.object_key FROM dataclip
WHERE dataclip.id = ANY(:ids) AND dataclip.wiped_at IS NULL AND dataclip.name IS NULL AND dataclip.pinned_by IS NULL
    AND dataclip.id NOT IN (
        SELECT run.input_dataclip_id FROM live_attempt JOIN run ON run.attempt_id = live_attempt.attempt_id
        WHERE live_attempt.project_id = :project_id AND run.input_dataclip_id IS NOT NULL
    )
    AND dataclip.id NOT IN (
        SELECT work_order.dataclip_id FROM live_attempt JOIN attempt ON attempt.id = live_attempt.attempt_id
        JOIN work_order ON work_order.id = attempt.work_order_id
        WHERE live_attempt.project_id = :project_id AND work_order.dataclip_id IS NOT NULL
    )

-- name: dataclips_wiped
UPDATE dataclip SET body = NULL, object_key = NULL, wiped_at = :now_us WHERE id = ANY(:ids)

-- name: pairs_of_attempts
SELECT DISTINCT message_id, job_id FROM run WHERE attempt_id = ANY(:ids) AND message_id IS NOT NULL

-- name: orders_to_delete
SELECT id FROM work_order
WHERE project_id = :project_id AND id < :before
    AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.work_order_id = work_order.id AND attempt.state < 10)
ORDER BY id LIMIT :at_most

-- name: lines_deleted [sqlite]
DELETE FROM log_line WHERE (attempt_id, seq) IN (SELECT attempt_id, seq FROM log_line WHERE attempt_id = ANY(:ids) LIMIT :at_most)

-- name: lines_deleted [postgresql]
DELETE FROM log_line WHERE ctid = ANY(ARRAY(SELECT ctid FROM log_line WHERE attempt_id = ANY(:ids) LIMIT :at_most))

-- name: objects_of_attempts
SELECT object_key FROM dataclip WHERE attempt_id = ANY(:ids) AND object_key IS NOT NULL AND name IS NULL AND pinned_by IS NULL

-- name: attempt_runs_deleted
DELETE FROM attempt_run WHERE attempt_id = ANY(:ids)

-- name: runs_of_attempts_deleted
DELETE FROM run WHERE attempt_id = ANY(:ids)

-- name: dataclips_of_attempts_deleted
DELETE FROM dataclip WHERE attempt_id = ANY(:ids) AND name IS NULL AND pinned_by IS NULL

-- name: attempts_deleted
DELETE FROM attempt WHERE id = ANY(:ids)

-- name: orders_deleted
DELETE FROM work_order WHERE id = ANY(:ids)

-- name: messages_to_delete
SELECT id FROM message WHERE project_id = :project_id AND id < :before
    AND NOT EXISTS (SELECT 1 FROM work_order WHERE work_order.message_id = message.id)
ORDER BY id LIMIT :at_most

-- name: objects_of_messages
SELECT object_key FROM message_version WHERE message_id = ANY(:ids) AND object_key IS NOT NULL

-- name: guards_of_messages_deleted
DELETE FROM start_guard WHERE message_id = ANY(:ids)

-- name: job_states_of_messages_deleted
DELETE FROM job_state WHERE message_id = ANY(:ids)

-- name: versions_deleted
DELETE FROM message_version WHERE message_id = ANY(:ids)

-- name: messages_deleted
DELETE FROM message WHERE id = ANY(:ids)

-- name: once_expired
DELETE FROM once_only WHERE (kind, key) IN (
    SELECT kind, key FROM once_only WHERE expires_at IS NOT NULL AND expires_at <= :now_us LIMIT :at_most
)

-- name: guards_expired
DELETE FROM start_guard WHERE (message_id, job_id) IN (
    SELECT message_id, job_id FROM start_guard WHERE last_at < :before_us LIMIT :at_most
)

-- name: workers_forgotten
DELETE FROM worker WHERE id IN (
    SELECT worker.id FROM worker WHERE worker.last_seen_at < :before_us
        AND NOT EXISTS (SELECT 1 FROM live_attempt WHERE live_attempt.worker_id = worker.id)
    LIMIT :at_most
)
RETURNING id

-- Zero persistence: what the last Attempt that needed it leaves behind.

-- name: inputs_erased
UPDATE message_version SET body = NULL, object_key = NULL, wiped_at = :now_us
WHERE message_id = ANY(:ids) AND wiped_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM work_order JOIN attempt ON attempt.work_order_id = work_order.id
    WHERE work_order.message_id = message_version.message_id AND attempt.state < 10
)

-- name: dataclips_erased
UPDATE dataclip SET body = NULL, object_key = NULL, wiped_at = :now_us
WHERE (attempt_id = ANY(:attempt_ids) OR id = ANY(:ids)) AND wiped_at IS NULL
    AND id NOT IN (
        SELECT run.input_dataclip_id FROM live_attempt JOIN run ON run.attempt_id = live_attempt.attempt_id
        WHERE live_attempt.project_id = :project_id AND run.input_dataclip_id IS NOT NULL AND run.finished_at IS NULL
    )
    AND id NOT IN (
        SELECT work_order.dataclip_id FROM live_attempt JOIN attempt ON attempt.id = live_attempt.attempt_id
        JOIN work_order ON work_order.id = attempt.work_order_id
        WHERE live_attempt.project_id = :project_id AND work_order.dataclip_id IS NOT NULL
    )

-- name: objects_to_erase
SELECT object_key FROM message_version WHERE message_id = ANY(:message_ids) AND object_key IS NOT NULL
UNION ALL
SELECT object_key FROM dataclip WHERE (attempt_id = ANY(:attempt_ids) OR id = ANY(:ids)) AND object_key IS NOT NULL

-- name: objects_owned
SELECT object_key FROM message_version WHERE object_key = ANY(:ids) AND object_key IS NOT NULL
UNION ALL
SELECT object_key FROM dataclip WHERE object_key = ANY(:ids) AND object_key IS NOT NULL
