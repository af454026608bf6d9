// A table that does not exist ends the job.
sql('SELECT * FROM nowhere');
