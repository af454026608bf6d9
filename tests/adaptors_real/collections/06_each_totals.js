// Add up without having everything in memory.
fn(state => ({ ...state, ages: {} }));
collections.each('patients', '*', async (state, value) => {
  await Promise.resolve();
  const group = value.age < 5 ? 'under five' : 'older';
  state.ages[group] = (state.ages[group] ?? 0) + 1;
});
fn(({ ages }) => ({ ages }));
