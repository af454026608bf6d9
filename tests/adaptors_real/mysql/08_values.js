// NULL, dates, decimals, long numbers, other alphabets and an emoji come back as they went in.
sql('INSERT INTO samples (id, note, taken, amount, big, flag) VALUES (?, ?, ?, ?, ?, ?)', {
  values: [1, 'Mtoto wa Amina – أمينة – 👶🏾', '2026-01-05 08:30:00', '12.50', '9007199254740993', null],
});
sql('SELECT id, note, DATE_FORMAT(taken, "%Y-%m-%dT%H:%i") AS taken, amount, CAST(big AS CHAR) AS big, flag FROM samples');
fn(state => ({ row: state.data.result[0] }));
