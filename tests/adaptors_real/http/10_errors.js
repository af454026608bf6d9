// A missing record is no disaster, a refused one is noted, and the job goes on.
get('households/99').catch((error, state) => ({ ...state, missing: [error.statusCode, error.body] }));

post('households', { village: 'Lamu' }, { errors: { 422: false } }).then(state => ({
  ...state,
  refused: state.data.field,
}));

fn(({ missing, refused }) => ({ missing, refused }));
