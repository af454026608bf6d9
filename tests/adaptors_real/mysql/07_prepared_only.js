// Write the statements down, run none but the last.
sql(state => `DELETE FROM patients WHERE age > ${state.limit}`, { writeSql: true, execute: false });
sql('SELECT COUNT(*) AS people FROM patients', { writeSql: true });
fn(({ queries, data }) => ({ queries, people: data.result[0].people }));
