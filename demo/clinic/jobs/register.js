// Register the person of a form as a patient of the records system.
fn(state => {
  const { form } = state.data;
  if (!form.surname) throw new Error('surname is missing in form.surname');
  return state;
});

post(
  'patients',
  ({ data: { form } }) => ({
    case: form.case['@case_id'],
    name: { given: form.given_name, family: form.surname },
    gender: { F: 'female', M: 'male' }[form.sex] ?? 'unknown',
    birthDate: form.birth_date,
    phone: form.phone.replaceAll(' ', '').replace(/^0/, '+232') || null,
    village: form.village,
  }),
  { parseAs: 'json' }
);

fn(state => {
  console.log(`${state.data.name.family} is patient ${state.data.id}`);
  return { patient: state.data.id };
});
