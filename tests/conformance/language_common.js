// Evaluates the entries of the golden file language-common.json by their names (adaptors.md §4.7): state.names → state.results.
const kept = value => (value === undefined ? { undefined: true } : { v: JSON.parse(JSON.stringify(value)) });

const copyOf = value => JSON.parse(JSON.stringify(value));

const calls = st => ({
  merge: () => merge('$.data.objs[*]', fields(field('k', sourceValue('$.x')), field('z', 1)))(st),
  join: () => join('$.data.objs[*]', '$.x', 'nx')(st),
  combine: () =>
    combine(
      s => ({ ...s, a: 1 }),
      s => ({ ...s, b: s.a + 1 })
    )({ data: {} }),
  'each-order': async () => {
    const seen = [];
    const look = s => (seen.push([s.data.id, s.index]), s);
    const { data, index: last } = await each('$.data.objs[*]', look)(st);
    return { seen, data, index: last };
  },
  'beta.each': async () => {
    const seen = [];
    const after = await beta.each('$.data.objs[*]', s => (seen.push(s.index), s))(st);
    return { seen, dataRestored: after.data === st.data };
  },
  'each empty': () => each('$.nope[*]', s => s)({ data: 1 }),
  'each nonarray': async () => {
    let times = 0;
    await each('$.data.objs', s => (times++, s))(st);
    return times;
  },
  'each falsy src': () => each(undefined, s => s)(st),
  arrayToString: () => arrayToString([1, null, 'a'], ', '),
  toArray: () => [toArray(1), toArray([1, 2]), toArray(null)],
  humanProper: () => [humanProper('shepherds_flock-of sheep'), humanProper('ABC_DEF'), humanProper(3)],
  splitKeys: () => splitKeys({ a: 1, b: 2, c: 3 }, ['b']),
  scrub: () => [scrubEmojis('Dove🕊️⭐ 29'), scrubEmojis('x©y', '-'), scrubEmojis('')],
  chunk: () => chunk([1, 2, 3, 4, 5], 2),
  composeNextState: () => composeNextState({ data: 1, a: 2 }, 3),
  group: () => group([{ c: 'x', i: 1 }, { c: 'y', i: 2 }, { i: 3 }], 'c')({ data: 0 }),
  jsonValue: () => jsonValue({ a: { b: [1, 2] } }, 'a.b[*]'),
  map: async () => (await map('$.data.arr[*]', (d, i) => d * 10 + i)(copyOf(st))).data,
  as: () => as('w', s => ({ ...s, data: 'new', extra: 1 }))({ data: 'old', z: 1 }),
  parseCsv: () => parseCsv('a,b\n 1 ,"x,y"\n\n2,z')({ data: 'd' }),
  'parseCsv chunk': async () => {
    const lengths = [];
    await parseCsv('a\n1\n2\n3', { chunkSize: 2 }, (s, rows) => (lengths.push(rows.length), s))({});
    return lengths;
  },
  'parseCsv quirk': () => parseCsv('a,b\n1')({}),
  'expandReferences fn': () => expanded(s => s.data.a),
  'expandReferences nested': () => expanded({ x: [s => s.data.a, { y: () => s => s.data.a }] }),
  'expandReferences date': () => expanded({ d: new Date(0) }),
  'expandReferences null': () => expanded({ a: null, b: undefined }),
  'expandReferences array of fns': () => expanded([() => 1, 2]),
  'expandReferences string': () => expanded('$.data.a'),
  'expandReferences class': () => expanded({ r: new Map([[1, 2]]) }),
});

const expanded = value => util.expandReferences({ data: { a: 1 } }, value)[0];

const literals = { 22: 22, undefined: undefined, null: null };

const parsed = text => {
  const state = cursor(text in literals ? literals[text] : text, { defaultValue: 9 })({});
  return [...Object.keys(state), typeof state.cursor];
};

const parsedUrl = text => {
  const [url, base] = text.split(' @ ');
  return util.parseUrl(url, base === 'undefined' ? undefined : base);
};

// Entries that are told by a pattern: the name holds the argument.
const patterns = [
  [/^dataPath\((.*)\)$/, path => dataPath(path)],
  [/^dataValue\((.*)\)$/, (path, st) => dataValue(path)(st)],
  [/^source\(\$\.data\.(.*)\)$/, (path, st) => source(`$.data.${path.replace(/^\$\.?/, '')}`)(st)],
  [/^sourceValue\((.*)\)$/, (path, st) => sourceValue(path)(st)],
  [/^lastReferenceValue\((.*)\)$/, (path, st) => lastReferenceValue(path)(st)],
  [/^referencePath\((.*)\)$/, path => referencePath(path)],
  [/^parseUrl (.*)$/, text => parsedUrl(text)],
  [/^parse (.*)$/, text => parsed(text)],
];

const evaluate = (name, st) => {
  const known = calls(st);
  if (Object.hasOwn(known, name)) return known[name]();
  for (const [pattern, call] of patterns) {
    const found = pattern.exec(name);
    if (found) return call(found[1], st);
  }
  throw new Error(`no call is known for ${name}`);
};

fn(async state => {
  const results = {};
  for (const name of state.names) {
    try {
      results[name] = kept(await evaluate(name, copyOf(state.st)));
    } catch (error) {
      results[name] = { err: error.message.slice(0, 100) };
    }
  }
  return { results };
});
