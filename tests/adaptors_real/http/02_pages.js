// Read a list page by page until all is there.
fn(state => ({ ...state, households: [], page: 1 }));

const nextPage = get('/households', { query: { per_page: 2, page: $.page } });

fn(async state => {
  let next = state;
  do {
    next = await nextPage(next);
    next.households.push(...next.data.items);
    next.page += 1;
  } while (next.households.length < next.data.total);
  return next;
});

fn(({ households }) => ({ heads: households.map(row => row.head) }));
