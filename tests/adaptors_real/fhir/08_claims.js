// Claims that wait for a decision, and one of them whole.
getClaim(null, { status: 'active' });
fn(state => ({ ...state, waiting: state.data.entry.map(entry => entry.resource.id) }));
getClaim($.waiting[0]);
fn(({ waiting, data }) => ({ waiting, use: data.use, patient: data.patient.reference }));
