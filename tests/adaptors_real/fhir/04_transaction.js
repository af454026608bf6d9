// A patient and the weight of today, both or none.
createTransactionBundle(state => [
  {
    fullUrl: 'urn:uuid:6f0a3a1e-0000-4000-8000-000000000001',
    resource: {
      resourceType: 'Patient',
      identifier: [{ system: 'https://registry.example.org/card', value: state.visit.card }],
      name: [{ family: state.visit.surname }],
    },
    request: { method: 'POST', url: 'Patient' },
  },
  {
    resource: {
      resourceType: 'Observation',
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
      subject: { reference: 'urn:uuid:6f0a3a1e-0000-4000-8000-000000000001' },
      valueQuantity: { value: state.visit.kg, unit: 'kg' },
    },
    request: { method: 'POST', url: 'Observation' },
  },
]);
fn(state => ({ answers: state.data.entry.map(entry => entry.response) }));
