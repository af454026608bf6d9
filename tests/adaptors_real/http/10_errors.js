// A missing record is no disaster; a refused one is noted; the last error is nobody's plan and ends the job.
get('households/99').catch((error, state) => ({ ...state, missing: [error.statusCode, error.body] }));

post('households', { village: 'Lamu' }, { errors: { 422: false } }).then(state => ({
  ...state,
  refused: state.data.field,
}));

get('/status/503', { errors: { 503: 'the registry is being repaired' } });

fn(state => ({ ...state, never: true }));
