-- name: messages_known
SELECT id, duplicate_of FROM message WHERE id = ANY(:ids)

-- name: messages_locked
SELECT {message} FROM message WHERE id = ANY(:ids) ORDER BY id FOR UPDATE

-- name: message_counted
UPDATE message SET run_count = :run_count WHERE id = :id

-- name: guards_of_pairs
SELECT {start_guard} FROM start_guard WHERE message_id = ANY(:message_ids) AND job_id = ANY(:job_ids)

-- name: versions
SELECT message_id, version, wiped_at FROM message_version WHERE message_id = ANY(:ids)

-- name: message_edited
UPDATE message SET newest_version = :newest_version WHERE id = :id

-- name: versions_first
SELECT {message_version} FROM message_version WHERE message_id = ANY(:ids) AND version = 1

-- name: version_stored
SELECT {message_version} FROM message_version WHERE message_id = :message_id AND version = :version
