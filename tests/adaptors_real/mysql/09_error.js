// A duplicate is noted, with the database's own code.
insert('patients', { id: 1, name: 'Somebody Else', village: 'Lamu', age: 1 }).catch((error, state) => ({
  ...state,
  duplicate: [error.code, error.sqlState],
}));
fn(({ duplicate }) => ({ duplicate }));
