// Read a patient, add a telephone number, write it back.
get('Patient/2');
fn(state => ({
  ...state,
  patient: { ...state.data, telecom: [{ system: 'phone', value: '+254722418305' }] },
}));
request('PUT', `Patient/${$.patient.id}`, { body: $.patient });
fn(state => ({
  telecom: state.data.telecom,
  version: state.data.meta.versionId,
  method: state.response.method,
  status: state.response.statusCode,
}));
