// One new row, from the state.
insert('patients', { id: $.newcomer.id, name: $.newcomer.name, village: 'Nyeri', age: 4 });
fn(state => ({ rows: state.data.result.affectedRows }));
