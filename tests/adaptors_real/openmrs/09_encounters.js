// Visits of the day through the raw http functions, a missing patient noted.
fn(state => ({ ...state, stored: [], errors_noted: [] }));

each(
  $.visits,
  http
    .post('/ws/rest/v1/encounter', {
      patient: $.data.patient,
      encounterType: 'vitals',
      encounterDatetime: $.data.at,
      obs: [{ concept: $.data.concept, value: $.data.kg }],
    })
    .catch((error, state) => {
      state.errors_noted.push(error.body.error.message);
      return { ...state, data: null };
    })
    .then(state => {
      if (state.data) state.stored.push(state.data.uuid);
      return state;
    })
);

http.get('/ws/rest/v1/encounter', { query: { patient: $.visits[0].patient } });
fn(({ stored, errors_noted, data }) => ({ stored, errors_noted, kg: data.results[0].obs[0].value }));
