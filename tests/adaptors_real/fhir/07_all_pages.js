// A search has pages; follow `next` until there is none.
fn(async state => {
  const names = [];
  let query = { _count: 2 };
  let next = state;
  while (query) {
    next = await get('Patient', query)(next);
    names.push(...next.data.entry.map(entry => entry.resource.name[0].family));
    const link = next.data.link.find(one => one.relation === 'next');
    query = link && Object.fromEntries(link.url.split('?')[1].split('&').map(pair => pair.split('=')));
  }
  return { names, pages: next.references.length };
});
