// Register a household and read it back from the address that the server gives.
post('households', {
  head: $.newcomer.name,
  village: $.newcomer.village,
  members: 4,
});

fn(state => ({ ...state, created: state.response.statusCode, location: state.response.headers.location }));

get($.location);
