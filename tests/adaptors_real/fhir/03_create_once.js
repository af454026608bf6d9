// Sent twice, stored once: FHIR's conditional create.
const patient = {
  identifier: [{ system: 'https://registry.example.org/card', value: 'KIB-777' }],
  name: [{ family: 'Njeri' }],
};
const once = { headers: { 'if-none-exist': 'identifier=https://registry.example.org/card|KIB-777' } };

create('Patient', patient, once).then(state => ({ ...state, statuses: [state.response.statusCode] }));
create('Patient', patient, once).then(state => ({
  ...state,
  statuses: [...state.statuses, state.response.statusCode],
}));
fn(({ statuses, data }) => ({ statuses, id: data.id }));
