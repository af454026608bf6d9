// Known ids are changed, new ones added.
upsert('patients', { id: 1, name: 'Amina Otieno', village: 'Lamu', age: 38 }).then(state => ({
  ...state,
  changed: state.data.result.affectedRows,
}));
upsert('patients', { id: 9, name: "Ng'ang'a; DROP TABLE patients", village: 'Kibiri', age: 1 }).then(state => ({
  ...state,
  added: state.data.result.affectedRows,
}));
fn(({ changed, added }) => ({ changed, added }));
