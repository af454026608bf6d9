-- The history page lists the Runs of a project by their key.
CREATE INDEX run_of_project ON run (project_id, id);
