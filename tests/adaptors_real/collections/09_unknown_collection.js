// A collection that does not exist: the error says what to do.
collections.get('nowhere', 'key').catch((error, state) => ({
  code: error.code,
  what: error.description,
  fix: error.fix,
}));
