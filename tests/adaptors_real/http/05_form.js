// An old system that takes forms only. Objects go as JSON text, empty values are left out.
post(
  '/form',
  state => ({ patient: state.patient.name, visits: state.patient.visits, note: null, 'é': 'ü' }),
  { contentType: 'form' }
);
