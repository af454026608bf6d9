// Turn each registration into a FHIR Patient: https://hl7.org/fhir/R4/patient.html
// What the clinics typed is tidied, not judged: whether a record is good enough, the FHIR server decides.
const genders = { F: 'female', M: 'male', '': 'unknown' };

// 07/11/2020 becomes 2020-11-07; a year alone stays as it is, it is a FHIR date already.
const isoDate = text => text.split('/').reverse().join('-');

const phone = text => text.replaceAll(' ', '').replace(/^0/, '+254');

const patient = form => ({
  resourceType: 'Patient',
  identifier: [
    { system: 'https://registry.example.org/card', value: form.card_number },
  ],
  name: [
    {
      family: humanProper(form.family_name.trim()),
      given: form.given_names.trim().split(' '),
    },
  ],
  gender: genders[form.sex.toUpperCase()] ?? form.sex,
  birthDate: isoDate(form.birth_date),
  telecom: form.phone ? [{ system: 'phone', value: phone(form.phone) }] : [],
  address: [{ city: form.village, country: 'KE' }],
  managingOrganization: { display: form.clinic },
});

fn(state => {
  const patients = state.registrations.map(patient);
  console.log(`${patients.length} registrations mapped to FHIR Patients`);
  return { ...state, patients };
});
