// Fetch all registrations. The form system gives 20 a page and says how many pages there are.
get('registrations', { query: { page: 1 } });

fn(state => ({
  ...state,
  registrations: state.data.items,
  otherPages: Array.from({ length: state.data.pages - 1 }, (_, i) => i + 2),
}));

each(
  $.otherPages,
  get('registrations', { query: { page: $.data } }).then(state => ({
    ...state,
    registrations: [...state.registrations, ...state.data.items],
  }))
);

fn(({ registrations }) => {
  console.log(`${registrations.length} registrations fetched`);
  return { registrations };
});
