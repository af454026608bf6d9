-- What the search index follows: ends of Attempts, edits of messages. Lists of a project's Runs page by key. Large bodies by their object.

CREATE INDEX attempt_ended ON attempt (finished_at, id) WHERE finished_at IS NOT NULL;
CREATE INDEX message_edited ON message_version (inserted_at, message_id) WHERE version > 1;
CREATE INDEX run_of_project ON run (project_id, id);
CREATE INDEX version_object ON message_version (object_key) WHERE object_key IS NOT NULL;
CREATE INDEX dataclip_object ON dataclip (object_key) WHERE object_key IS NOT NULL;
