-- Execution records: the hot tables (design: server-and-data §4). Enumerations are numbers of kivuko.records.states; times are µs UTC.
-- No foreign keys among them: the writer keeps references right, and deletion stays cheap and in any order.

CREATE TABLE attempt (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    work_order_id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    snapshot_id uuid NOT NULL,
    start_node uuid NOT NULL,
    cause smallint NOT NULL,
    state smallint NOT NULL,
    retry_of uuid,
    claim_number bigint NOT NULL,
    expired_claims bigint NOT NULL,
    executed_ms bigint NOT NULL,
    worker_id uuid,
    claimed_at bigint,
    started_at bigint,
    finished_at bigint,
    cancel_requested_at bigint,
    cancel_requested_by uuid,
    error_type text,
    options bytea,
    final_dataclip_id uuid,
    webhook_response bytea,
    PRIMARY KEY (id)
) WITH (fillfactor = 80);

CREATE TABLE attempt_run (
    attempt_id uuid NOT NULL,
    run_id uuid NOT NULL,
    PRIMARY KEY (attempt_id, run_id)
);

CREATE TABLE claim_share (
    scope_id uuid NOT NULL,
    max_live integer,
    served_at bigint NOT NULL,
    PRIMARY KEY (scope_id)
) WITH (fillfactor = 60);

CREATE TABLE daily_stat (
    project_id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    day bigint NOT NULL,
    state smallint NOT NULL,
    finished bigint NOT NULL,
    PRIMARY KEY (project_id, workflow_id, day, state)
) WITH (fillfactor = 60);

CREATE TABLE dataclip (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    kind smallint NOT NULL,
    attempt_id uuid,
    wire_id text,
    encoding smallint NOT NULL,
    body bytea,
    object_key uuid,
    size_bytes bigint NOT NULL,
    name text,
    pinned_by uuid,
    wiped_at bigint,
    PRIMARY KEY (id)
);

CREATE TABLE job_state (
    message_id uuid NOT NULL,
    job_id uuid NOT NULL,
    project_id uuid NOT NULL,
    run_id uuid NOT NULL,
    state smallint NOT NULL,
    finished_at bigint,
    started_at bigint,
    PRIMARY KEY (message_id, job_id)
) WITH (fillfactor = 80);

CREATE TABLE live_attempt (
    attempt_id uuid NOT NULL,
    project_id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    queue text NOT NULL,
    priority integer NOT NULL,
    available_at bigint NOT NULL,
    needs smallint NOT NULL,
    state smallint NOT NULL,
    claim_number bigint NOT NULL,
    worker_id uuid,
    lease_until bigint,
    renewed bigint NOT NULL,
    PRIMARY KEY (attempt_id)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE log_line (
    attempt_id uuid NOT NULL,
    seq bigint NOT NULL,
    run_id uuid,
    level smallint NOT NULL,
    source text NOT NULL,
    at_us bigint NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (attempt_id, seq)
);

CREATE TABLE message (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    inbox_id uuid,
    trigger_id uuid,
    request bytea,
    content_type text,
    source_ip text,
    auth_method text,
    size_bytes bigint NOT NULL,
    sha256 bytea,
    duplicate_of uuid,
    newest_version integer NOT NULL,
    run_count bigint NOT NULL,
    PRIMARY KEY (id)
) WITH (fillfactor = 90);

CREATE TABLE message_version (
    message_id uuid NOT NULL,
    version integer NOT NULL,
    project_id uuid NOT NULL,
    encoding smallint NOT NULL,
    body bytea,
    object_key uuid,
    size_bytes bigint NOT NULL,
    inserted_at bigint NOT NULL,
    author_id uuid,
    wiped_at bigint,
    PRIMARY KEY (message_id, version)
);

CREATE TABLE notice (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    kind smallint NOT NULL,
    subject_id uuid NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE once_only (
    kind smallint NOT NULL,
    key bytea NOT NULL,
    target_id uuid NOT NULL,
    answer bytea,
    expires_at bigint,
    PRIMARY KEY (kind, key)
);

CREATE TABLE run (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    job_id uuid NOT NULL,
    snapshot_id uuid NOT NULL,
    cause smallint NOT NULL,
    queued_at bigint NOT NULL,
    parent_run_id uuid,
    message_id uuid,
    message_version integer,
    run_number bigint,
    credential_id uuid,
    adaptor text,
    wire_id text,
    tries integer NOT NULL,
    started_at bigint,
    finished_at bigint,
    reported_finished_at bigint,
    exit_reason smallint,
    exit_code integer,
    error_type text,
    error bytea,
    input_dataclip_id uuid,
    output_dataclip_id uuid,
    memory_bytes bigint,
    worker_id uuid,
    PRIMARY KEY (id)
) WITH (fillfactor = 80);

CREATE TABLE start_guard (
    message_id uuid NOT NULL,
    job_id uuid NOT NULL,
    last_at bigint NOT NULL,
    run_id uuid NOT NULL,
    PRIMARY KEY (message_id, job_id)
);

CREATE TABLE work_order (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    snapshot_id uuid NOT NULL,
    cause smallint NOT NULL,
    state smallint NOT NULL,
    last_activity_at bigint NOT NULL,
    trigger_id uuid,
    parent_run_id uuid,
    depth integer NOT NULL,
    message_id uuid,
    message_version integer,
    dataclip_id uuid,
    PRIMARY KEY (id)
) WITH (fillfactor = 80);

CREATE TABLE worker (
    id uuid NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    kinds smallint NOT NULL,
    is_foreign integer NOT NULL,
    capacity integer NOT NULL,
    slots_free integer NOT NULL,
    last_seen_at bigint NOT NULL,
    PRIMARY KEY (id)
) WITH (fillfactor = 60);

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

-- Bodies are compressed before they come here.
ALTER TABLE message_version ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE dataclip ALTER COLUMN body SET STORAGE EXTERNAL;
