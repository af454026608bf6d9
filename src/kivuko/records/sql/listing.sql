-- What pages and the API list. Filters are added by records.listing; what has none stands here.

-- name: run_read
SELECT {run} FROM run WHERE id = :id

-- name: attempts_listed
SELECT {attempt} FROM attempt WHERE id = ANY(:ids)

-- name: attempts_of_orders_listed
SELECT {attempt} FROM attempt WHERE work_order_id = ANY(:ids) ORDER BY id

-- name: workers_listed
SELECT {worker} FROM worker
WHERE (CASE WHEN last_seen_at < :as_of THEN last_seen_at ELSE :as_of END, id) < (:seen, :id)
ORDER BY CASE WHEN last_seen_at < :as_of THEN last_seen_at ELSE :as_of END DESC, id DESC LIMIT :at_most

-- name: workers_named
SELECT {worker} FROM worker WHERE id = ANY(:ids)

-- name: version_entries
-- Without the bodies: they may be large.
SELECT version, inserted_at, author_id, size_bytes, wiped_at FROM message_version WHERE message_id = :id ORDER BY version

-- name: newest_versions
SELECT {message_version} FROM message_version JOIN message
ON message.id = message_version.message_id AND message.newest_version = message_version.version
WHERE message.id = ANY(:ids)

-- name: job_states_of_messages
SELECT job_state.message_id, job_state.job_id, job_state.state, job_state.run_id, run.run_number
FROM job_state LEFT JOIN run ON run.id = job_state.run_id
WHERE job_state.message_id = ANY(:ids)
ORDER BY job_state.message_id, run.run_number, job_state.job_id

-- name: summary [sqlite]
SELECT 'ended', workflow_id, state, sum(finished), NULL FROM daily_stat
WHERE project_id = :project_id AND day >= :first_day GROUP BY workflow_id, state
UNION ALL
SELECT 'live', workflow_id, state, count(*), min(attempt_id) FROM live_attempt
WHERE project_id = :project_id AND state <= 3 GROUP BY workflow_id, state
UNION ALL
SELECT 'failed', workflow_id, 0, 1, max(id) FROM work_order
WHERE project_id = :project_id AND state IN (11, 12, 13, 14, 15, 16) AND id >= :first_id GROUP BY workflow_id

-- name: summary [postgresql]
-- PostgreSQL 15 has neither min(uuid) nor max(uuid).
SELECT 'ended', workflow_id, state, sum(finished)::bigint, NULL::uuid FROM daily_stat
WHERE project_id = :project_id AND day >= :first_day GROUP BY workflow_id, state
UNION ALL
SELECT 'live', workflow_id, state, count(*), (array_agg(attempt_id ORDER BY attempt_id))[1] FROM live_attempt
WHERE project_id = :project_id AND state <= 3 GROUP BY workflow_id, state
UNION ALL
SELECT * FROM (
    SELECT DISTINCT ON (workflow_id) 'failed', workflow_id, 0::smallint, 1::bigint, id FROM work_order
    WHERE project_id = :project_id AND state IN (11, 12, 13, 14, 15, 16) AND id >= :first_id ORDER BY workflow_id, id DESC
) AS failures

-- name: dataclip_named
UPDATE dataclip SET name = :name WHERE id = :id
