import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { execute, fn, get, greet } from '../src/index.js';

async function withServer(answer, work) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  try {
    return await work(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

test('operations run in order and pass the state on', async () => {
  const state = await execute(
    fn(s => ({ ...s, data: 1 })),
    fn(s => ({ ...s, data: s.data + 1 }))
  )({});
  assert.equal(state.data, 2);
});

test('greet takes a value or a function of the state', async () => {
  assert.equal(greet('Ada')({}).data.greeting, 'Hello, Ada!');
  assert.equal(greet(s => s.name)({ name: 'Grace' }).data.greeting, 'Hello, Grace!');
});

test('get asks below the base URL and keeps the answer', async () => {
  await withServer(
    (asked, answer) => {
      answer.setHeader('content-type', 'application/json');
      answer.end(JSON.stringify({ url: asked.url, auth: asked.headers.authorization }));
    },
    async baseUrl => {
      const state = await get('/items', { query: { limit: 2 } })({ configuration: { baseUrl, access_token: 't' }, data: 'old' });
      assert.deepEqual(state.data, { url: '/items?limit=2', auth: 'Bearer t' });
      assert.equal(state.response.statusCode, 200);
      assert.deepEqual(state.references, ['old']);
    }
  );
});

test('a refusal becomes an error with its status code', async () => {
  await withServer(
    (asked, answer) => {
      answer.statusCode = 404;
      answer.end('nothing here');
    },
    async baseUrl => {
      await assert.rejects(get('/nope')({ configuration: { baseUrl } }), { statusCode: 404, body: 'nothing here' });
    }
  );
});
