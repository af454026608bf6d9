-- Lists of Runs by error: what failed is rare, and must not be looked for among all that succeeded. It is not written for a Run that
-- succeeds. One by exit code would be: exit_code changes at every end, which then could not be a heap-only update any more, and all
-- indexes of the Run would get another entry (measured: 50 µs a Run become 250). Codes that only an error gives are found by the error.

CREATE INDEX run_with_error ON run (project_id, id, error_type) WHERE error_type IS NOT NULL;
