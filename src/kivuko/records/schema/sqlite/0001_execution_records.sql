-- Execution records: the hot tables (design: server-and-data §4). Enumerations are numbers of kivuko.records.states; times are µs UTC.
-- No foreign keys among them: the writer keeps references right, and deletion stays cheap and in any order.

CREATE TABLE attempt (
    id BLOB NOT NULL,
    project_id BLOB NOT NULL,
    work_order_id BLOB NOT NULL,
    workflow_id BLOB NOT NULL,
    snapshot_id BLOB NOT NULL,
    start_node BLOB NOT NULL,
    cause INTEGER NOT NULL,
    state INTEGER NOT NULL,
    retry_of BLOB,
    claim_number INTEGER NOT NULL,
    expired_claims INTEGER NOT NULL,
    executed_ms INTEGER NOT NULL,
    worker_id BLOB,
    claimed_at INTEGER,
    started_at INTEGER,
    finished_at INTEGER,
    cancel_requested_at INTEGER,
    cancel_requested_by BLOB,
    error_type TEXT,
    options BLOB,
    final_dataclip_id BLOB,
    webhook_response BLOB,
    PRIMARY KEY (id)
) STRICT;

CREATE TABLE attempt_run (
    attempt_id BLOB NOT NULL,
    run_id BLOB NOT NULL,
    PRIMARY KEY (attempt_id, run_id)
) WITHOUT ROWID, STRICT;

CREATE TABLE claim_share (
    scope_id BLOB NOT NULL,
    max_live INTEGER,
    served_at INTEGER NOT NULL,
    PRIMARY KEY (scope_id)
) WITHOUT ROWID, STRICT;

CREATE TABLE daily_stat (
    project_id BLOB NOT NULL,
    workflow_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    state INTEGER NOT NULL,
    finished INTEGER NOT NULL,
    PRIMARY KEY (project_id, workflow_id, day, state)
) WITHOUT ROWID, STRICT;

CREATE TABLE dataclip (
    id BLOB NOT NULL,
    project_id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    attempt_id BLOB,
    wire_id TEXT,
    encoding INTEGER NOT NULL,
    body BLOB,
    object_key BLOB,
    size_bytes INTEGER NOT NULL,
    name TEXT,
    pinned_by BLOB,
    wiped_at INTEGER,
    PRIMARY KEY (id)
) STRICT;

CREATE TABLE job_state (
    message_id BLOB NOT NULL,
    job_id BLOB NOT NULL,
    project_id BLOB NOT NULL,
    run_id BLOB NOT NULL,
    state INTEGER NOT NULL,
    finished_at INTEGER,
    started_at INTEGER,
    PRIMARY KEY (message_id, job_id)
) WITHOUT ROWID, STRICT;

CREATE TABLE live_attempt (
    attempt_id BLOB NOT NULL,
    project_id BLOB NOT NULL,
    workflow_id BLOB NOT NULL,
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    available_at INTEGER NOT NULL,
    needs INTEGER NOT NULL,
    state INTEGER NOT NULL,
    claim_number INTEGER NOT NULL,
    worker_id BLOB,
    lease_until INTEGER,
    renewed INTEGER NOT NULL,
    PRIMARY KEY (attempt_id)
) WITHOUT ROWID, STRICT;

CREATE TABLE log_line (
    attempt_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    run_id BLOB,
    level INTEGER NOT NULL,
    source TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (attempt_id, seq)
) WITHOUT ROWID, STRICT;

CREATE TABLE message (
    id BLOB NOT NULL,
    project_id BLOB NOT NULL,
    inbox_id BLOB,
    trigger_id BLOB,
    request BLOB,
    content_type TEXT,
    source_ip TEXT,
    auth_method TEXT,
    size_bytes INTEGER NOT NULL,
    sha256 BLOB,
    duplicate_of BLOB,
    newest_version INTEGER NOT NULL,
    run_count INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;

CREATE TABLE message_version (
    message_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    project_id BLOB NOT NULL,
    encoding INTEGER NOT NULL,
    body BLOB,
    object_key BLOB,
    size_bytes INTEGER NOT NULL,
    inserted_at INTEGER NOT NULL,
    author_id BLOB,
    wiped_at INTEGER,
    PRIMARY KEY (message_id, version)
) STRICT;

CREATE TABLE notice (
    id BLOB NOT NULL,
    project_id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    subject_id BLOB NOT NULL,
    PRIMARY KEY (id)
) STRICT;

CREATE TABLE once_only (
    kind INTEGER NOT NULL,
    key BLOB NOT NULL,
    target_id BLOB NOT NULL,
    answer BLOB,
    expires_at INTEGER,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID, STRICT;

CREATE TABLE run (
    id BLOB NOT NULL,
    project_id BLOB NOT NULL,
    attempt_id BLOB NOT NULL,
    job_id BLOB NOT NULL,
    snapshot_id BLOB NOT NULL,
    cause INTEGER NOT NULL,
    queued_at INTEGER NOT NULL,
    parent_run_id BLOB,
    message_id BLOB,
    message_version INTEGER,
    run_number INTEGER,
    credential_id BLOB,
    adaptor TEXT,
    wire_id TEXT,
    tries INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    reported_finished_at INTEGER,
    exit_reason INTEGER,
    exit_code INTEGER,
    error_type TEXT,
    error BLOB,
    input_dataclip_id BLOB,
    output_dataclip_id BLOB,
    memory_bytes INTEGER,
    worker_id BLOB,
    PRIMARY KEY (id)
) STRICT;

CREATE TABLE start_guard (
    message_id BLOB NOT NULL,
    job_id BLOB NOT NULL,
    last_at INTEGER NOT NULL,
    run_id BLOB NOT NULL,
    PRIMARY KEY (message_id, job_id)
) WITHOUT ROWID, STRICT;

CREATE TABLE work_order (
    id BLOB NOT NULL,
    project_id BLOB NOT NULL,
    workflow_id BLOB NOT NULL,
    snapshot_id BLOB NOT NULL,
    cause INTEGER NOT NULL,
    state INTEGER NOT NULL,
    last_activity_at INTEGER NOT NULL,
    trigger_id BLOB,
    parent_run_id BLOB,
    depth INTEGER NOT NULL,
    message_id BLOB,
    message_version INTEGER,
    dataclip_id BLOB,
    PRIMARY KEY (id)
) WITHOUT ROWID, STRICT;

CREATE TABLE worker (
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    kinds INTEGER NOT NULL,
    is_foreign INTEGER NOT NULL,
    capacity INTEGER NOT NULL,
    slots_free INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) WITHOUT ROWID, STRICT;

CREATE INDEX message_of_project ON message (project_id, id);
CREATE INDEX dataclip_named ON dataclip (project_id, id) WHERE name IS NOT NULL;
CREATE INDEX dataclip_without_attempt ON dataclip (project_id, id) WHERE attempt_id IS NULL;
CREATE INDEX dataclip_pinned ON dataclip (pinned_by) WHERE pinned_by IS NOT NULL;
CREATE INDEX dataclip_of_attempt ON dataclip (attempt_id, wire_id) WHERE attempt_id IS NOT NULL;
CREATE INDEX work_order_of_project ON work_order (project_id, id);
CREATE INDEX work_order_of_workflow ON work_order (workflow_id, id);
CREATE INDEX work_order_by_state ON work_order (project_id, state, id);
CREATE INDEX work_order_of_message ON work_order (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX attempt_of_work_order ON attempt (work_order_id);
CREATE INDEX attempt_of_project ON attempt (project_id, id);
-- The claim's lanes: state 0 is queued, 1 parked, 2 claimed, 3 started, 4 leaving (records.states.LiveState).
CREATE INDEX live_waiting ON live_attempt (queue, project_id, workflow_id, priority, attempt_id) WHERE state = 0;
CREATE INDEX live_parked ON live_attempt (available_at) WHERE state = 1;
CREATE INDEX live_busy ON live_attempt (project_id, workflow_id) WHERE state >= 2;
CREATE INDEX live_of_worker ON live_attempt (worker_id) WHERE worker_id IS NOT NULL;
CREATE INDEX run_of_attempt ON run (attempt_id);
CREATE INDEX run_of_job ON run (job_id, id);
CREATE INDEX run_of_pair ON run (message_id, job_id) WHERE message_id IS NOT NULL;
CREATE UNIQUE INDEX run_on_the_wire ON run (attempt_id, wire_id) WHERE wire_id IS NOT NULL;
CREATE INDEX job_state_by_result ON job_state (project_id, state, message_id);
CREATE INDEX once_only_expiring ON once_only (expires_at) WHERE expires_at IS NOT NULL;
