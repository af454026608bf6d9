// All visits of today.
findDocuments({ database: 'clinic', collection: 'visits', query: { day: $.today } });
fn(state => ({ ...state, never: true }));
