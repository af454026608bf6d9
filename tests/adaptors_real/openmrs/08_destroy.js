// Void one patient with a reason, purge another, then search.
destroy(`patient/${$.wrong[0]}`, { reason: 'entered twice' });
destroy(`patient/${$.wrong[1]}`, { purge: true });
get('patient', { query: '100' });
fn(state => ({ left: state.data.length }));
