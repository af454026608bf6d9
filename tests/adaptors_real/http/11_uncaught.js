// An error that nobody planned for ends the job; the state stays what it was.
get('households/1');
get('/status/503', { errors: { 503: 'the registry is being repaired' } });
fn(state => ({ ...state, never: true }));
