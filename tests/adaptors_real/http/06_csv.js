// A stock list as CSV: what has run out?
get('/stock.csv', { parseAs: 'text' });
parseCsv($.data, { columns: true });
fn(state => ({
  ...state,
  empty: state.data.filter(row => Number(row.quantity) === 0),
  items: state.data.map(row => row.item),
}));
fn(({ empty, items }) => ({ empty, items }));
