// A birth date was wrong.
update(`patient/${$.uuid}`, { person: { birthdate: '1988-03-21' } });
fn(state => ({ display: state.data.display, born: state.data.person.birthdate, gender: state.data.person.gender }));
