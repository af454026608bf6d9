/** Replace functions, at any depth, by what they give for the state. */
export function expandReferences(state, ...values) {
  const expand = value => {
    if (typeof value === 'function') return expand(value(state));
    if (Array.isArray(value)) return value.map(expand);
    if (value && Object.getPrototypeOf(value) === Object.prototype) {
      return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, expand(held)]));
    }
    return value;
  };
  return values.map(expand);
}

/** The state with new data; the old data is kept as the last of the references. */
export function composeNextState(state, data) {
  return { ...state, data, references: [...(state.references ?? []), state.data] };
}

/** Ask the system and read the answer. Throws an error with the status code when it refuses. */
export async function request(configuration = {}, method, path, { query, body } = {}) {
  const { baseUrl, access_token: token } = configuration;
  const url = new URL(`${baseUrl.replace(/\/$/, '')}/${path.replace(/^\//, '')}`);
  for (const [key, value] of Object.entries(query ?? {})) url.searchParams.set(key, value);
  const answer = await fetch(url, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) {
    const refusal = new Error(`${method} ${url.pathname} was refused: ${answer.status} ${answer.statusText}`);
    refusal.statusCode = answer.status;
    refusal.body = text;
    throw refusal;
  }
  const isJson = (answer.headers.get('content-type') ?? '').includes('json');
  return { statusCode: answer.status, url: url.href, body: isJson ? JSON.parse(text) : text };
}
