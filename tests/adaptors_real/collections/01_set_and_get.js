// Keep a value under a key and take it out again.
collections.set('settings', 'last-run', { at: '2026-01-05T08:00:00Z', count: 50 });
collections.get('settings', 'last-run');
