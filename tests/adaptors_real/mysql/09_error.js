// A duplicate is noted; a table that does not exist ends the job.
insert('patients', { id: 1, name: 'Somebody Else', village: 'Lamu', age: 1 }).catch((error, state) => ({
  ...state,
  duplicate: [error.code, error.sqlState],
}));
sql('SELECT * FROM nowhere');
