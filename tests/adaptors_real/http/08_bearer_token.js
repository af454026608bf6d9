// A token instead of a password; a header of our own; the query merges with the one of the address.
get('households?village=Lamu', {
  query: { per_page: 1 },
  headers: { 'x-request-id': $.requestId },
});
fn(state => ({ total: state.data.total, first: dataValue('items[0].head')(state), query: state.response.query }));
