// Forget one patient and a whole clinic.
collections.remove('patients', 'NYO-3');
collections.remove('patients', 'KIB-*');
collections.get('patients', { key: '*' });
fn(state => ({ left: state.data.map(item => item.key) }));
