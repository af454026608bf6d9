// This number is known: the upsert updates.
upsert('patient', { person: { gender: 'O' } }, { identifier: '100KMV', v: 'default' });
fn(state => ({ display: state.data.display, gender: state.data.person.gender }));
