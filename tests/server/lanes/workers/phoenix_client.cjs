// Workers written with npm's `phoenix`, the client that OpenFn's worker uses. Arguments: folder of the package, then the question as JSON.
const [folder, text] = process.argv.slice(2);
const question = JSON.parse(text);
const { Socket } = require(folder);
const { verify, createPublicKey } = require('node:crypto');
const { randomUUID } = require('node:crypto');

const say = (channel, event, payload = {}) =>
  new Promise((resolve, reject) =>
    channel.push(event, payload).receive('ok', resolve).receive('error', reject).receive('timeout', () => reject(new Error(`${event} timed out`)))
  );

const joined = (channel) =>
  new Promise((resolve, reject) => channel.join().receive('ok', resolve).receive('error', reject).receive('timeout', reject));

const opened = (token) =>
  new Promise((resolve, reject) => {
    const socket = new Socket(question.url, { params: { token, api_version: '1.2', worker_version: '1.25.0' }, transport: WebSocket, timeout: 20000 });
    socket.onOpen(() => resolve(socket));
    socket.onError(() => reject(new Error('refused')));
    socket.connect();
  });

// What OpenFn's worker does with the public key when it claims: signature, issuer, times.
const verified = (token) => {
  const [header, body, signature] = token.split('.');
  const { alg } = JSON.parse(Buffer.from(header, 'base64url'));
  const claims = JSON.parse(Buffer.from(body, 'base64url'));
  const now = Date.now() / 1000;
  const good = verify('RSA-SHA256', Buffer.from(`${header}.${body}`), createPublicKey(question.publicKey), Buffer.from(signature, 'base64url'));
  return good && alg === 'RS256' && claims.iss === 'Lightning' && claims.nbf <= now + 5 && claims.exp > now;
};

const execute = async (socket, run) => {
  const channel = socket.channel(`run:${run.id}`, { token: run.token });
  await joined(channel);
  const plan = await say(channel, 'fetch:plan');
  const bytes = await say(channel, 'fetch:dataclip', { id: plan.dataclip_id });
  const state = JSON.parse(new TextDecoder('utf-8').decode(new Uint8Array(bytes)));
  await say(channel, 'run:start', { timestamp: `${Date.now()}000`, versions: { worker: '1.25.0' } });
  const named = { step_id: randomUUID(), job_id: plan.jobs[0].id };
  await say(channel, 'step:start', { ...named, timestamp: `${Date.now()}000`, input_dataclip_id: plan.dataclip_id });
  const logs = [{ message: ['hi', state.data], source: 'JOB', level: 'info', timestamp: `${Date.now()}000`, step_id: named.step_id }];
  await say(channel, 'run:batch_logs', { run_id: run.id, logs });
  const clip = randomUUID();
  const told = { output_dataclip_id: clip, output_dataclip: JSON.stringify(state), reason: 'success', error_type: null, error_message: null };
  await say(channel, 'step:complete', { ...named, ...told });
  await say(channel, 'run:complete', { final_dataclip_id: clip, final_state: state, reason: 'success', error_type: null, error_message: null });
  await new Promise((resolve) => channel.leave().receive('ok', resolve));
};

const worker = async (token) => {
  const socket = await opened(token);
  const queue = socket.channel('worker:queue', { capacity: 1, queues: { 'manual>*': 1 } });
  const told = { ids: [], verified: [] };
  await joined(queue);
  return { socket, queue, told };
};

const claimed = async ({ queue }) => (await say(queue, 'claim', { demand: 1, worker_name: null, queues: ['manual', '*'] })).runs;

const drain = async (one) => {
  for (let runs = await claimed(one); runs.length; runs = await claimed(one)) {
    one.told.ids.push(...runs.map((run) => run.id));
    one.told.verified.push(...runs.map((run) => verified(run.token)));
    for (const run of runs) await execute(one.socket, run);
  }
};

const refusals = async (tokens) => {
  const results = [];
  for (const token of tokens) results.push(await opened(token).then((socket) => (socket.disconnect(), 'open'), (error) => error.message));
  return results;
};

(async () => {
  const answer = { refused: await refusals(question.badTokens) };
  const workers = await Promise.all(question.tokens.map(worker));
  await Promise.all(workers.map(drain));
  // Now they are idle: nothing is claimed but what a push tells of.
  const found = new Promise((resolve) =>
    workers.forEach((one) => one.queue.on('work-available', async () => {
      const pushedAt = Date.now();
      const runs = await claimed(one);
      if (runs.length) resolve({ pushedAt, id: runs[0].id });
    }))
  );
  await Promise.all(workers.map(claimed));
  console.log(JSON.stringify({ ...answer, workers: workers.map((one) => one.told) }));
  console.log(JSON.stringify(await found));
  workers.forEach((one) => one.socket.disconnect());
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
