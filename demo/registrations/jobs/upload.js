// Upload every Patient. One that the server refuses is noted with the server's reason, and the rest goes on;
// any other answer (a server that is down, a wrong token) stops the job.
fn(state => ({ ...state, stored: [], refused: [] }));

each(
  $.patients,
  post('Patient', $.data, {
    headers: { 'content-type': 'application/fhir+json' },
    parseAs: 'json',
    errors: { 409: false, 422: false },
  }).then(state => {
    const form = state.registrations[state.index];
    if (state.response.statusCode === 201) {
      state.stored.push({ form: form.form_id, patient: state.data.id });
    } else {
      state.refused.push({
        form: form.form_id,
        clinic: form.clinic,
        name: `${form.given_names} ${form.family_name}`.trim(),
        why: state.data.issue.map(issue => issue.diagnostics),
      });
    }
    return state;
  })
);

fn(({ stored, refused }) => {
  console.log(`${stored.length} patients stored, ${refused.length} refused`);
  return { stored, refused };
});
