// Who lives in Lamu? Values travel apart from the statement.
sql('SELECT id, name, age FROM patients WHERE village = ? ORDER BY name', { values: ['Lamu'] });
fn(state => ({ people: state.data.result, columns: state.data.fields.map(field => field.name) }));
