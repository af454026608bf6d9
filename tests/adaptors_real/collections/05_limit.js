// The first three only, and where to go on.
collections.each('patients', { key: '*', limit: 3 }, (state, value, key) => {
  state.seen = [...(state.seen ?? []), key];
});
fn(state => ({ seen: state.seen, cursor: state.data.cursor }));
