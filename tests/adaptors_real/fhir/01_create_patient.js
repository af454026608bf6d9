// One form, one patient.
create('Patient', state => ({
  identifier: [{ system: 'https://registry.example.org/card', value: state.form.card }],
  name: [{ family: state.form.surname, given: [state.form.name] }],
  gender: state.form.sex === 'F' ? 'female' : 'male',
  birthDate: state.form.born,
}));
fn(state => ({ id: state.data.id, version: state.data.meta.versionId, status: state.response.statusCode }));
