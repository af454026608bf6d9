// Behind a password; group what comes by village and keep the heads.
get('households');
group($.data.items, 'village');
fn(state => ({
  heads: Object.fromEntries(
    Object.entries(state.data).map(([village, rows]) => [village, arrayToString(rows.map(row => row.head), ', ')])
  ),
  status: state.response.statusMessage,
}));
