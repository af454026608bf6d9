-- What the search index follows, oldest first (server-and-data §10).

-- name: messages_followed
SELECT id, project_id, request FROM message WHERE id > :after AND id < :until ORDER BY id LIMIT :at_most

-- name: edits_followed
SELECT inserted_at, message_id, version, project_id FROM message_version
WHERE version > 1 AND (inserted_at, message_id) > (:after_us, :after_id) AND inserted_at < :until_us
ORDER BY inserted_at, message_id, version LIMIT :at_most

-- name: attempts_followed
SELECT finished_at, id, project_id FROM attempt
WHERE finished_at IS NOT NULL AND (finished_at, id) > (:after_us, :after_id) AND finished_at < :until_us
ORDER BY finished_at, id LIMIT :at_most

-- name: lines_between
SELECT run_id, message FROM log_line WHERE attempt_id = :id AND seq >= :first AND seq <= :last ORDER BY seq
