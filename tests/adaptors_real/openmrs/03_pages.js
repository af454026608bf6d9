// The server gives a few at a time; the adaptor fetches the rest.
get('patient', { query: '100', pageSize: 2 });
fn(state => ({ names: state.data.map(patient => patient.display.split(' - ')[1]) }));
