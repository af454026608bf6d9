// Make a table, fill it from another, and read the report.
sql('CREATE TABLE village_report (village VARCHAR(40) PRIMARY KEY, people INT NOT NULL, mean_age DECIMAL(5,2))');
sql('INSERT INTO village_report SELECT village, COUNT(*), AVG(age) FROM patients GROUP BY village');
sql('SELECT * FROM village_report ORDER BY village');
fn(state => ({ report: state.data.result }));
