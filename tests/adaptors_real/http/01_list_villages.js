// Which villages have households, and how many people live there?
get('/households');

fn(state => {
  const people = {};
  for (const { village, members } of state.data.items) {
    people[village] = (people[village] ?? 0) + members;
  }
  return { people, statusCode: state.response.statusCode };
});
