// Remove a wrong record and make sure that it is gone.
request('DELETE', 'Patient/3').then(state => ({ ...state, deleted: state.response.statusCode }));
get('Patient/3').catch((error, state) => ({
  ...state,
  afterwards: error.statusCode,
  why: JSON.parse(error.body).issue[0].diagnostics,
}));
fn(({ deleted, afterwards, why }) => ({ deleted, afterwards, why }));
