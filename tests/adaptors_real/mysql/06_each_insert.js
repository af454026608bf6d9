// Form by form; the number that the database gave goes back to the form.
fn(state => ({ ...state, receipts: [] }));
each(
  '$.forms[*]',
  insert('visits', { patient: $.data.patient, day: $.data.day, kg: $.data.kg }).then(state => {
    state.receipts.push(state.data.result.insertId);
    return state;
  })
);
fn(({ receipts }) => ({ receipts }));
