// The same, uncaught.
collections.set('nowhere', 'key', 1);
