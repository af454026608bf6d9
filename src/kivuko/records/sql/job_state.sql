-- name: last_runs
-- Unfinished first, then the latest finish, the latest start (unstarted first), the largest id.
SELECT message_id, job_id, project_id, id, exit_code, finished_at, started_at
FROM (
    SELECT message_id, job_id, project_id, id, exit_code, finished_at, started_at,
        row_number() OVER (
            PARTITION BY message_id, job_id
            ORDER BY finished_at IS NULL DESC, finished_at DESC, started_at IS NULL DESC, started_at DESC, id DESC
        ) AS place
    FROM run WHERE message_id = ANY(:message_ids) AND job_id = ANY(:job_ids)
) AS placed
WHERE place = 1

-- name: job_state_deleted
DELETE FROM job_state WHERE message_id = :message_id AND job_id = :job_id
