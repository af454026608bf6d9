// The registry moved twice. Follow, then look at the first step alone.
get('/old').then(state => ({ ...state, found: state.data, asked: state.response.url }));
get('/old', { followAllRedirects: false }).then(state => ({
  ...state,
  notFollowed: [state.response.statusCode, state.response.headers.location],
}));
fn(({ found, asked, notFollowed }) => ({ found, asked, notFollowed }));
