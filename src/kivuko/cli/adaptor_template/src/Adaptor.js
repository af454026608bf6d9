import { composeNextState, expandReferences, request } from './Utils.js';

/**
 * Run the operations of a job one after another.
 * @private
 * @param {...Operation} operations - what the job consists of
 * @returns {Operation}
 */
export function execute(...operations) {
  return async state => {
    let next = { references: [], data: null, ...state };
    for (const operation of operations) {
      next = await operation(next);
    }
    return next;
  };
}

/**
 * Work on the state with a function of your own.
 * @public
 * @function
 * @example
 * fn(state => ({ ...state, total: state.data.length }));
 * @param {Function} func - gets the state and returns the next one
 * @returns {Operation}
 */
export function fn(func) {
  return state => func(state);
}

/**
 * Put a greeting into `state.data`.
 * @public
 * @function
 * @example <caption>Greet the person that the state names</caption>
 * greet($.name);
 * @param {string} name - whom to greet
 * @returns {Operation}
 */
export function greet(name) {
  return state => {
    const [resolvedName] = expandReferences(state, name);
    return composeNextState(state, { greeting: `Hello, ${resolvedName}!` });
  };
}

/**
 * Fetch a path of {{label}}; the answer's body becomes `state.data`.
 * @public
 * @function
 * @example
 * get('/items', { query: { limit: 10 } });
 * @param {string} path - below the baseUrl of the credential
 * @param {object} [options] - `query`: parameters of the address
 * @state {HttpState}
 * @returns {Operation}
 */
export function get(path, options = {}) {
  return async state => {
    const [resolvedPath, resolvedOptions] = expandReferences(state, path, options);
    const { body, ...response } = await request(state.configuration, 'GET', resolvedPath, resolvedOptions);
    return { ...composeNextState(state, body), response };
  };
}
