// All of them, two a page.
collections.get('patients', { key: '*', pageSize: 2 });
fn(state => ({ count: state.data.length, last: state.data.at(-1) }));
