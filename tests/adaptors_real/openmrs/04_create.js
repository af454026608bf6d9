// Register a patient.
create('patient', state => ({
  identifiers: [{ identifier: state.form.card, location: state.form.location, preferred: true }],
  person: {
    names: [{ givenName: state.form.name, familyName: state.form.surname }],
    gender: state.form.sex,
    birthdate: dateFns.format(new Date(state.form.born), 'yyyy-MM-dd'),
  },
}));
fn(state => ({ uuid: state.data.uuid, display: state.data.display, born: state.data.person.birthdate }));
