// The classic: remember where the last run ended, take what is new, move the mark.
collections.get('settings', 'mark');
collections.get('events', { key: '*', createdAfter: $.data.until });
fn(state => ({ ...state, fresh: state.data.map(item => item.key) }));
collections.set('settings', 'mark', { until: $.now });
collections.get('settings', 'mark');
fn(({ fresh, data }) => ({ fresh, mark: data.until }));
