-- Lists of Runs by error or by exit code: what failed is rare, and must not be looked for among all that succeeded. Neither index is
-- written for a Run that succeeds.

CREATE INDEX run_with_error ON run (project_id, error_type, id) WHERE error_type IS NOT NULL;
CREATE INDEX run_by_exit_code ON run (project_id, exit_code, id) WHERE exit_code > 0;
