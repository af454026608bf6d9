// The second entry is wrong, so the first must not be stored either. The server's reason is kept.
createTransactionBundle([
  {
    resource: {
      resourceType: 'Patient',
      identifier: [{ system: 'https://registry.example.org/card', value: 'KIB-900' }],
      name: [{ family: 'Barasa' }],
    },
    request: { method: 'POST', url: 'Patient' },
  },
  {
    resource: { resourceType: 'Observation', status: 'guessed', code: { text: 'weight' } },
    request: { method: 'POST', url: 'Observation' },
  },
]).catch((error, state) => ({
  ...state,
  refused: error.statusCode,
  why: JSON.parse(error.body).issue.map(issue => issue.diagnostics),
}));
get('Patient', { identifier: 'https://registry.example.org/card|KIB-900', _summary: 'count' });
fn(({ refused, why, data }) => ({ refused, why, stored: data.total }));
