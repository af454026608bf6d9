// Nobody has this number yet: the upsert creates.
upsert(
  'patient',
  {
    identifiers: [{ identifier: '100NEW', location: $.location }],
    person: { names: [{ givenName: 'Zawadi', familyName: 'Chebet' }], gender: 'F', birthdate: '2024-02-29' },
  },
  { identifier: '100NEW' }
);
fn(state => ({ display: state.data.display }));
