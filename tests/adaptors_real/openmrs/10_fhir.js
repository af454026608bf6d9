// The FHIR module of OpenMRS; the adaptor follows its pages.
fhir.get('Patient', { count: 2 });
fn(state => ({
  total: state.data.total,
  people: state.data.entry.map(({ resource }) => `${resource.name[0].family} ${resource.gender} ${resource.birthDate}`),
}));
