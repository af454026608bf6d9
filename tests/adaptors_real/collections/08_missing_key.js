// A key that nobody set is an empty object, not an error.
collections.get('settings', 'never-set');
fn(state => ({ ...state, since: state.data.at ?? 'the beginning' }));
