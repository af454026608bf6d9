// One patient, whole, by uuid; in the language of the clerk.
get(`patient/${$.uuid}`, { singleton: true, v: 'full', language: 'fr' });
fn(({ data }) => ({
  born: data.person.birthdate,
  identifier: data.identifiers[0].identifier,
  place: data.identifiers[0].location,
}));
