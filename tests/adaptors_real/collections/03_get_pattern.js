// All patients of one clinic.
collections.get('patients', 'KIB-*');
fn(state => ({ cards: state.data.map(item => item.key), names: state.data.map(item => item.value.name) }));
