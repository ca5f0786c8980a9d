// Journeys in a real browser, over the loopback host; axe looks at every page, in light and dark.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, test as plain } from 'node:test';
import { look } from './pages.mjs';
import { cairn, serve, temporary, until } from './program.mjs';

// A journey that hangs is a failure, not a wait for the end of the run.
const test = (name, body) => plain(name, { timeout: 120_000 }, body);

let place;
let env;
let service;
let browser;
let page;
let problems;
let check;

before(async () => {
  place = temporary();
  env = { CAIRN_HOME: `${place.dir}/home`, CAIRN_PASSPHRASE: 'browser journeys', CAIRN_SHARE_BY_HAND: '1' };
  cairn(env, 'demo', `${place.dir}/ws`);
  service = await serve(env, `${place.dir}/ws`);
  ({ browser, page, problems, check } = await look(service));
});

after(async () => {
  await browser?.close();
  service?.end();
  place?.end();
});

const go = async (path, heading) => {
  await page.goto(`${service.url}/#${path}`);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
};

async function firstProject() {
  await go('/', /Hello, Ana/);
  const link = page.getByRole('link', { name: 'Find tumours earlier' }).first();
  return (await link.getAttribute('href')).replace(/^.*#/, '');
}

test('a page without the token of this launch shows nothing', async () => {
  assert.equal((await fetch(`${service.url}/`)).status, 401);
  assert.equal((await fetch(`${service.url}/rpc/project.list`, { method: 'POST', body: '{}' })).status, 401);
  const foreign = await fetch(`${service.url}/health`, { headers: { Origin: 'http://evil.example' } });
  assert.equal(foreign.status, 403, 'a foreign page may not even ask');
});

test('every page is accessible, in light and in dark', async () => {
  const project = await firstProject();
  const pages = [
    ['home', '/', /Hello, Ana/],
    ['project', project, 'Find tumours earlier'],
    ['data', `${project}/data`, 'Find tumours earlier'],
    ['project-runs', `${project}/runs`, 'Find tumours earlier'],
    ['models', `${project}/models`, 'Find tumours earlier'],
    ['handoffs', `${project}/handoffs`, 'Find tumours earlier'],
    ['notes', `${project}/notes`, 'Find tumours earlier'],
    ['history', `${project}/history`, 'Find tumours earlier'],
    ['runs', '/runs', 'Runs'],
    ['audit', '/audit', 'Audit trail'],
    ['team', '/team', 'Team'],
    ['settings', '/settings', 'Sharing and settings'],
  ];
  for (const look of ['light', 'dark']) {
    await page.evaluate((theme) => localStorage.setItem('theme', theme), look);
    await page.goto('about:blank');
    for (const [name, path, heading] of pages) {
      await go(path, heading);
      await page.waitForFunction(() => !document.querySelector('main [aria-label="Loading"]'));
      await check(`${name}-${look}`);
    }
  }
  await page.evaluate(() => localStorage.setItem('theme', 'light'));
});

test('the audit trail is narrowed by person, meaning and what does not count, with the keyboard alone', async () => {
  await go('/audit', 'Audit trail');
  const rows = page.getByRole('list', { name: 'Entries, newest first' }).getByRole('listitem');
  await rows.first().waitFor();
  const person = page.getByLabel('Person');
  await person.focus();
  await page.keyboard.type('Mia');
  await page.waitForFunction(() => [...document.querySelectorAll('main ol summary strong')].every((name) => name.textContent === 'Mia Chen'));
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.closest('label')?.textContent?.startsWith('Role held then')), true);
  await page.getByLabel('About').selectOption('people');
  await rows.first().getByText('asked to join').waitFor();
  await check('audit-narrowed');
  await page.getByLabel('Only what does not count').check();
  await page.getByText('Nothing fits.').waitFor();
  await page.getByRole('button', { name: 'Show everything' }).click();
  await rows.nth(20).waitFor();
  assert.match(await page.locator('main code').first().textContent(), /^[0-9a-f]{64}$/);
});

test('a run shows its curves, drawn and as a table', async () => {
  await go('/runs', 'Runs');
  await page.getByRole('link', { name: 'network-tumo-24' }).click();
  await page.getByRole('heading', { level: 1, name: 'network-tumo-24' }).waitFor();
  const chart = page.locator('figure', { hasText: 'val_loss' });
  // Charts are drawn when they come into sight.
  await until('the curve is drawn', async () => {
    await chart.scrollIntoViewIfNeeded();
    return (await chart.locator('svg title').count()) > 0;
  });
  assert.match(await chart.locator('svg desc').first().textContent(), /val_loss went from/);
  await chart.getByText('The numbers as a table').click();
  await chart.locator('tbody tr').first().waitFor();
  assert.ok((await chart.locator('tbody tr').count()) >= 60);
  await check('run');
});

test('a filter is written with what may stand next, kept as a view of the team, and a link shows the same runs', async () => {
  await go('/runs', 'Runs');
  const field = page.getByRole('combobox', { name: 'Filter the runs' });
  await field.focus();
  await page.keyboard.type('params.mod');
  await page.getByRole('option', { name: /params\.model/ }).waitFor();
  await check('filter-names');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.keyboard.type('= ');
  await page.getByRole('option', { name: /'forest'/ }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Enter');
  await page.getByText('4 runs', { exact: true }).waitFor();
  assert.match(page.url(), /filter=/, 'the address says what is shown');
  await page.getByRole('button', { name: 'Save view…' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Forests');
  await check('save-view');
  await page.getByRole('button', { name: 'Save view', exact: true }).click();
  await page.getByText('The view Forests is kept for the team').waitFor();
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  await page.getByText('14 runs', { exact: true }).waitFor();
  await page.getByRole('combobox', { name: 'Views of this table' }).selectOption({ label: 'Forests' });
  await page.getByText('4 runs', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
});

test('runs are grouped, pinned and tagged, and a tag is taken back', async () => {
  await go('/runs', 'Runs');
  await page.getByRole('combobox', { name: 'Group the runs' }).selectOption('params.model');
  await page.getByRole('button', { name: 'forest', exact: true }).click();
  await page.getByRole('link', { name: 'forest-wine-60' }).waitFor();
  await page.getByText(/accuracy mean 0\.\d+, from/).first().waitFor();
  await check('runs-grouped');
  await page.getByRole('combobox', { name: 'Group the runs' }).selectOption('');
  await page.getByRole('button', { name: 'Pin forest-wine-60' }).first().click();
  await page.locator('tr.pinned', { hasText: 'forest-wine-60' }).waitFor();
  const width = page.getByRole('separator', { name: 'Width of Run', exact: true });
  await width.focus();
  const before = (await page.getByRole('columnheader', { name: /^Run/ }).boundingBox()).width;
  for (let i = 0; i < 4; i += 1) await page.keyboard.press('ArrowRight');
  const after = (await page.getByRole('columnheader', { name: /^Run/ }).boundingBox()).width;
  assert.ok(after > before + 40, `the column is wider: ${before} to ${after}`);
  await page.getByRole('checkbox', { name: 'Compare network-wine-24' }).check();
  await page.getByRole('checkbox', { name: 'Compare network-wine-8' }).check();
  await page.getByRole('button', { name: 'Tag…' }).click();
  await page.getByRole('textbox', { name: 'Tag', exact: true }).fill('shortlist');
  await page.getByRole('textbox', { name: 'Value' }).fill('yes');
  await check('tagging');
  await page.getByRole('button', { name: 'Set the tag on 2 runs' }).click();
  await page.getByText('The tag shortlist is set on 2 runs').waitFor();
  const tagged = () => page.evaluate(async () => (await (await fetch('/rpc/run.page', { method: 'POST', body: JSON.stringify({ filter: "tags.shortlist = 'yes'", offset: 0 }) })).json()).total);
  assert.equal(await tagged(), 2);
  await page.getByRole('button', { name: 'Undo' }).click();
  for (let i = 0; i < 100 && (await tagged()) !== 0; i += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(await tagged(), 0);
  await page.getByRole('button', { name: 'Unpin forest-wine-60' }).first().click();
});

test('files of a run are looked at, and nothing in them runs', async () => {
  const files = {
    't.csv': 'a,b\n1,x\n2,y\n',
    'n.md': '# Notes\n\nAll **well**.\n<script>window.bad = 1</script>',
    'r.html': '<h1>Report</h1><script>parent.bad = 1; document.title = "bad"</script><img src="http://127.0.0.1:1/x.png">',
    'nb.ipynb': JSON.stringify({ nbformat: 4, metadata: {}, cells: [{ cell_type: 'code', source: 'print(1)', execution_count: 3, outputs: [{ output_type: 'display_data', data: { 'text/html': '<b>bold</b><script>window.bad = 1</script>' } }] }] }),
    'odd.bin': '\u0000\u0001',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(`${place.dir}/${name}`, text);
  const run = cairn(env, '--workspace', `${place.dir}/ws`, 'log', '--experiment', 'tumour-screening', '--name', 'with files', ...Object.keys(files).flatMap((f) => ['--file', `${place.dir}/${f}`]), '--reference', `data/t.csv=${place.dir}/t.csv`).trim();
  await go(`/runs/${run}/files`, 'with files');
  await check('run-files');
  const look = async (name, what) => {
    await page.getByRole('button', { name, exact: true }).click();
    await what.waitFor();
    await check(`file-${name.replace('/', '-')}`);
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  };
  await look('t.csv', page.getByRole('cell', { name: 'y', exact: true }));
  await look('n.md', page.getByRole('dialog').getByRole('heading', { name: 'Notes' }));
  await look('r.html', page.frameLocator('iframe').getByRole('heading', { name: 'Report' }));
  await look('nb.ipynb', page.getByText('print(1)'));
  await look('odd.bin', page.getByText('not of a kind that can be shown'));
  await look('data/t.csv', page.getByRole('cell', { name: 'y', exact: true }));
  assert.equal(await page.evaluate(() => globalThis.bad), undefined, 'no script of a file ran');
  for (const tab of ['source', 'lineage', 'parameters', 'metrics']) {
    await go(`/runs/${run}/${tab}`, 'with files');
    await page.waitForFunction(() => !document.querySelector('main [aria-label="Loading"]'));
    await check(`run-${tab}`);
  }
});

test('the owner decides by keyboard alone, and a later edit makes it stale', async () => {
  await go('/', /Hello, Ana/);
  await page.keyboard.press('Tab');
  const reach = async (name, kind = 'Enter') => {
    for (let i = 0; i < 80; i += 1) {
      const text = await page.evaluate(() => (document.activeElement?.matches('a, button') ? document.activeElement.textContent : ''));
      if (text.includes(name)) return page.keyboard.press(kind);
      await page.keyboard.press('Tab');
    }
    throw new Error(`"${name}" cannot be reached with the keyboard`);
  };
  await reach('Decide on grower-recognition version 1');
  await page.getByRole('heading', { level: 1, name: /May grower-recognition/ }).waitFor();
  await check('release');
  await reach('Approve…');
  await page.getByRole('dialog').waitFor();
  await check('sign');
  for (let i = 0; i < 10 && (await page.evaluate(() => document.activeElement?.tagName)) !== 'TEXTAREA'; i += 1) await page.keyboard.press('Tab');
  await page.keyboard.type('52 of 54 bottles is better than we do by hand.');
  await reach('Approve and sign');
  await page.getByText('Approved. It may go live.').first().waitFor();
  await check('approved');

  // Ana is a data scientist too; she mends a word in the card.
  const version = await page.evaluate(async () => {
    const call = async (name, request) => (await fetch(`/rpc/${name}`, { method: 'POST', body: JSON.stringify(request) })).json();
    const id = location.hash.split('/').pop();
    return (await call('release.get', { release: id })).version.id;
  });
  const release = page.url();
  await page.goto(`${service.url}/#/cards/${version}`);
  await page.getByRole('button', { name: /Edit.*Whom to ask/ }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: 'Whom to ask' }).fill('Dan Okafor, or the data science desk');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('saved.').first().waitFor();
  // A line of the card is talked about; when it is changed, the talk says so and keeps the line.
  await page.getByRole('button', { name: /Comment.*Whom to ask/ }).click();
  const talk = page.getByRole('region', { name: 'Comments on “Whom to ask”' });
  await talk.getByLabel('What it is about').selectOption('Dan Okafor, or the data science desk');
  await talk.getByRole('textbox').fill('Is the desk there on Sundays?');
  await talk.getByRole('button', { name: 'Comment', exact: true }).click();
  await talk.locator('blockquote', { hasText: 'the data science desk' }).waitFor();
  await check('card-line');
  await page.getByRole('button', { name: /Edit.*Whom to ask/ }).click();
  await page.getByRole('textbox', { name: 'Whom to ask' }).fill('Dan Okafor, on weekdays');
  await page.getByRole('button', { name: 'Save' }).click();
  await talk.getByText('This line has been changed since.').waitFor();
  await page.goto(release);
  await page.getByText(/Stale: the model card changed after it was signed/).first().waitFor();
  await check('stale');
});

test('the palette does what the menus do, and Esc gives the focus back', async () => {
  await go('/', /Hello, Ana/);
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Search and do anything' }).waitFor();
  await check('palette');
  await page.keyboard.type('audit');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Audit trail' }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

test('no git word is seen', async () => {
  const project = await firstProject();
  for (const path of ['/', project, `${project}/models`, `${project}/handoffs`, '/team', '/audit']) {
    await page.goto(`${service.url}/#${path}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    // An address is the person's own word, so what stands in `code` is left out.
    const text = await page.locator('main').evaluate((main) => {
      const copy = main.cloneNode(true);
      for (const code of copy.querySelectorAll('code, .mono')) code.remove();
      return copy.textContent;
    });
    assert.doesNotMatch(text, /\b(git|commit|branch|push|pull request|merge|rebase|fetch|HEAD)\b/i, path);
  }
});

test('a wrong filter is explained, and at 200 % nothing is cut off', async () => {
  await go('/runs', 'Runs');
  await page.getByRole('combobox', { name: 'Filter the runs' }).fill('metrics.accuracy >');
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await page.getByRole('alert').waitFor();
  await page.setViewportSize({ width: 640, height: 400 });
  await go('/', /Hello, Ana/);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1);
  assert.equal(wider, false, 'no sideways scrolling at 200 %');
  await check('home-200');
  await page.setViewportSize({ width: 1280, height: 800 });
});

test('nothing failed behind the scenes', () => {
  // A page in a frame that may run nothing says so in the console; that is the point of the frame.
  const expected = /400 \(Bad Request\)|about:srcdoc|127\.0\.0\.1:1\/x\.png/;
  const real = problems.filter((p) => !expected.test(p));
  assert.deepEqual(real, []);
});
