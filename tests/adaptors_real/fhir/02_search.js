// Everybody named Otieno, born in this century, as a short list.
get('Patient', { family: 'otieno', birthdate: 'ge2000' });
fn(state => ({
  total: state.data.total,
  people: state.data.entry.map(({ resource: { id, name, birthDate } }) => ({
    id,
    name: `${name[0].given.join(' ')} ${name[0].family}`,
    birthDate,
  })),
}));
