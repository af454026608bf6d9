// Three ways to change a record, with three verbs.
patch('households/1', { members: 6 });
put('households/2', { head: 'Joseph Mwangi', village: 'Nyeri', members: 1 });
del('households/4').then(state => ({ ...state, removed: state.response.statusCode }));
get('households', { query: { village: 'Nyeri' } });
fn(state => ({ removed: state.removed, nyeri: state.data.items, before: state.references.length }));
