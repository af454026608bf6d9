// The database refuses the password, so nothing else happens.
sql('SELECT 1');
fn(state => ({ ...state, never: true }));
