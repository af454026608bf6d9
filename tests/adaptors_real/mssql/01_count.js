// How many patients does the hospital's database have?
sql({ query: 'SELECT COUNT(*) AS people FROM patients' });
fn(state => ({ ...state, never: true }));
