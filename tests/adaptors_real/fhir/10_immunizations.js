// A day of vaccinations. One refers to nobody; the error belongs to that line, the others are stored.
fn(state => ({ ...state, results: [] }));

each(
  '$.vaccinations[*]',
  create('Immunization', state => ({
    status: 'completed',
    vaccineCode: { coding: [{ system: 'http://hl7.org/fhir/sid/cvx', code: state.data.vaccine }] },
    patient: { reference: `Patient/${state.data.patient}` },
    occurrenceDateTime: dateFns.format(dateFns.parse(state.data.day, 'dd.MM.yyyy', new Date()), 'yyyy-MM-dd'),
  }))
    .catch((error, state) => ({ ...state, data: { refused: JSON.parse(error.body).issue[0].diagnostics } }))
    .then(state => {
      const { id, occurrenceDateTime, refused } = state.data;
      state.results.push(refused ?? [id, occurrenceDateTime]);
      return state;
    })
);

fn(({ results }) => ({ results }));
