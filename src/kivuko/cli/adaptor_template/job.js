// Run me:  kivuko job.js -a {{name}}=.
greet('Ada');
fn(state => {
  console.log(state.data.greeting);
  return state;
});
