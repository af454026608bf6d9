// A list at once; an empty list does nothing.
upsertMany('patients', state => state.rows.map(([id, name, village, age]) => ({ id, name, village, age })));
fn(state => ({ ...state, info: state.data.result.info, affected: state.data.result.affectedRows }));
upsertMany('patients', []);
fn(({ info, affected }) => ({ info, affected }));
