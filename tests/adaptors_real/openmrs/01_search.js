// Find patients by name.
get('patient', { query: 'otieno' });
fn(state => ({ found: state.data.map(patient => patient.display) }));
