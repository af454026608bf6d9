// Keep one value a patient, keyed by card number.
collections.set('patients', patient => patient.card, $.data.patients);
fn(state => ({ kept: state.data.patients.length }));
