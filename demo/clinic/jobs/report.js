// Tell the district each Friday how many patients there are.
get('patients', { parseAs: 'json' });

post('reports', state => ({ patients: state.data.length }), { parseAs: 'json' });
