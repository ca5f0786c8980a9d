// Journeys over charts and comparison in a real browser: five hundred runs, and two for a meeting by keyboard alone.
import assert from 'node:assert/strict';
import { after, before, test as plain } from 'node:test';
import { look } from './pages.mjs';
import { cairn, serve, temporary, until } from './program.mjs';

const test = (name, body) => plain(name, { timeout: 120_000 }, body);

let place;
let service;
let browser;
let page;
let problems;
let check;

/** Noise that is the same in every run of the tests. */
let state = 1;
const noise = () => {
  state = (state * 48271) % 2147483647;
  return state / 2147483647 - 0.5;
};

const RUNS = 500;

async function call(path, body) {
  const answer = await fetch(`${service.url}/api/2.0/mlflow/${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  assert.equal(answer.status, 200, path);
  return answer.json();
}

async function fill() {
  const { experiment_id } = await call('experiments/create', { name: 'digits' });
  for (let i = 0; i < RUNS; i += 1) {
    const [model, lr, depth, seed] = [['forest', 'net'][i % 2], [0.001, 0.01, 0.1, 1, 10][Math.floor(i / 2) % 5], [2, 4, 8, 16, 32][Math.floor(i / 10) % 5], Math.floor(i / 50)];
    const best = 0.95 - 0.06 * Math.abs(Math.log10(lr) + 1) - (model === 'forest' ? 0.04 : 0) + noise() * 0.005;
    const { run } = await call('runs/create', { experiment_id, run_name: `${model}-${lr}-${depth}-${seed}`, start_time: 1_700_000_000_000 + i });
    const metrics = [];
    for (let step = 0; step < 30; step += 1) {
      const value = best * (1 - Math.exp(-(step + 1) / 5)) + noise() * 0.002;
      metrics.push({ key: 'val/accuracy', value, timestamp: 1_700_000_000_000 + step, step });
      metrics.push({ key: 'val/loss', value: 1.2 - value, timestamp: 1_700_000_000_000 + step, step });
    }
    const params = Object.entries({ model, lr, depth, seed }).map(([key, value]) => ({ key, value: String(value) }));
    await call('runs/log-batch', { run_id: run.info.run_id, metrics, params });
    await call('runs/update', { run_id: run.info.run_id, status: 'FINISHED', end_time: 1_700_000_100_000 + i });
  }
}

before(async () => {
  place = temporary();
  const env = { CAIRN_HOME: `${place.dir}/home`, CAIRN_PASSPHRASE: 'browser journeys', CAIRN_SHARE_BY_HAND: '1', XDG_DOWNLOAD_DIR: place.dir };
  cairn(env, 'init', `${place.dir}/ws`, '--name', 'Digits');
  service = await serve(env, `${place.dir}/ws`);
  await fill();
  ({ browser, page, problems, check } = await look(service));
  await page.getByRole('heading', { level: 1 }).waitFor();
});

after(async () => {
  await browser?.close();
  service?.end();
  place?.end();
});

const figure = (title) => page.locator('figure', { has: page.getByRole('heading', { name: title, exact: true }) });
/** Charts are drawn when they come into sight. */
const scrollTo = (title) =>
  until(`${title} is drawn`, async () => {
    await figure(title).first().scrollIntoViewIfNeeded();
    return (await figure(title).first().locator('g.series').count()) > 0;
  });
const drawn = (title) => figure(title).first().locator('svg desc').first();

test('the best of five hundred runs is found, and why it is the best', async () => {
  assert.ok(!page.url().includes('token'), 'the token of the launch does not stay in the address');
  await page.goto(`${service.url}/#/runs?as=charts`);
  await page.getByText('What leads where').waitFor();
  await drawn('What matters for val/accuracy').waitFor({ state: 'attached' });
  const why = await drawn('What matters for val/accuracy').textContent();
  assert.match(why, /In 500 runs lr explains most of val\/accuracy/);
  const parallel = figure(/^val\/accuracy by/).first();
  assert.match(await parallel.locator('svg desc').first().textContent(), /has .*lr 0\.1, model net/);
  // A part of an axis: what does not go through it fades.
  await parallel.getByRole('slider', { name: /^val\/accuracy/ }).focus();
  for (let i = 0; i < 8; i += 1) await page.keyboard.press('ArrowUp');
  await parallel.getByRole('status').waitFor();
  assert.match(await parallel.getByRole('status').textContent(), /\d+ of 500 runs go through/);
  await check('charts-page');

  await page.goto(`${service.url}/#/runs`);
  await page.getByRole('button', { name: 'val/accuracy', exact: true }).click();
  await page.getByLabel('largest first').first().waitFor();
  const first = page.locator('.vtable tbody tr').first();
  await until('the best runs come first', async () => /^net-0\.1-/.test(await first.getByRole('link').first().textContent()));
  await page.goto(`${service.url}/#/runs?filter=${encodeURIComponent('params.depth = "8" AND params.lr = "0.1"')}`);
  await page.getByText('20 runs', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Compare all' }).click();
  await page.getByRole('heading', { level: 1, name: 'Compare 20 runs' }).waitFor();
  const verdict = page.getByRole('region', { name: 'Verdict' });
  assert.match(await verdict.textContent(), /model net is best on val\/accuracy/);
  assert.match(await verdict.textContent(), /That is more than chance: with 95 % certainty .*from 10 pairs with the same seed/);
  await check('compare-many');
});

test('a chart is zoomed, read, hidden in parts and saved, and its neighbours follow', async () => {
  await page.goto(`${service.url}/#/runs?as=charts&filter=${encodeURIComponent("params.seed = '0' AND params.depth = '2'")}`);
  const accuracy = figure('val/accuracy').first();
  const loss = figure('val/loss').first();
  await scrollTo('val/accuracy');
  await loss.locator('g.series').first().waitFor({ state: 'attached' });
  assert.equal(await accuracy.locator('g.series').count(), 10);
  const plot = accuracy.locator('.plot');
  const box = await plot.boundingBox();
  await page.mouse.move(box.x + 200, box.y + 90);
  await page.mouse.move(box.x + 204, box.y + 92);
  await plot.locator('.tip').waitFor();
  assert.match(await plot.locator('.tip').textContent(), /step \d+/);
  await loss.locator('.cross').waitFor({ state: 'attached' });
  await page.mouse.down();
  await page.mouse.move(box.x + 320, box.y + 92, { steps: 4 });
  await page.mouse.up();
  await accuracy.getByRole('button', { name: 'Show all' }).waitFor();
  await loss.getByRole('button', { name: 'Show all' }).waitFor();
  await accuracy.getByRole('button', { name: 'Show all' }).click();
  await accuracy.getByRole('button', { name: /^Show only/ }).first().click();
  await until('the others are hidden', async () => (await accuracy.locator('g.series[data-off]').count()) === 9);
  assert.equal(await loss.locator('g.series[data-off]').count(), 9, 'in every chart of the page');
  await accuracy.getByRole('button', { name: 'Show all lines' }).click();
  await accuracy.locator('summary', { hasText: 'The numbers as a table' }).click();
  await accuracy.locator('tbody tr').first().waitFor();
  await accuracy.getByLabel('What can be done with val/accuracy').click();
  await check('chart-menu');
  await accuracy.getByRole('button', { name: 'Save as picture (PNG)' }).click();
  await page.getByText(/^Saved as .*val-accuracy\.png/).waitFor();
  await accuracy.getByRole('button', { name: 'Keep for the team' }).click();
  await page.getByText('kept for the team').first().waitFor();
  await page.getByRole('button', { name: 'New chart…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/^Kind/).selectOption('box');
  await dialog.getByLabel(/^Metric/).selectOption('val/accuracy');
  await dialog.getByLabel('Add to bring together runs of equal').selectOption({ label: 'parameter model' });
  await dialog.locator('svg desc').first().waitFor({ state: 'attached' });
  await check('chart-editor');
  await dialog.getByRole('textbox', { name: 'Section of the page' }).fill('Decisions');
  await dialog.getByRole('button', { name: 'Keep for the team' }).click();
  await page.getByRole('heading', { name: /Decisions/ }).waitFor();
});

test('a run becomes the baseline everywhere, and a rectangle shows a part of both axes', async () => {
  await page.goto(`${service.url}/#/runs?filter=${encodeURIComponent("params.seed = '1' AND params.depth = '2'")}`);
  await page.getByText('10 runs', { exact: true }).waitFor();
  await page.getByRole('button', { name: /^Measure all others by net-0.1-2-1$/ }).click();
  const row = page.locator('.vtable tbody tr', { hasText: 'forest-10-2-1' });
  await row.locator('.beside').first().waitFor();
  assert.match(await row.textContent(), /−0\.\d+/, 'a worse run says by how much');
  await check('table-baseline');
  await page.getByRole('link', { name: 'Charts', exact: true }).click();
  const accuracy = figure('val/accuracy').first();
  await scrollTo('val/accuracy');
  await accuracy.getByText('(baseline)').waitFor();
  const plot = accuracy.locator('.plot');
  const box = await plot.boundingBox();
  await page.mouse.move(box.x + 200, box.y + 90);
  await page.mouse.move(box.x + 204, box.y + 92);
  await plot.locator('.tip', { hasText: /, −0\.\d+/ }).waitFor();
  const high = async () => accuracy.locator('.chart-label').allTextContents();
  const before = await high();
  await page.mouse.move(box.x + 150, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + 260, box.y + 140, { steps: 4 });
  await page.mouse.up();
  await until('other numbers stand at the axis', async () => JSON.stringify(await high()) !== JSON.stringify(before));
  await accuracy.getByRole('slider', { name: /read values/ }).focus();
  await page.keyboard.press('Escape');
  await until('all is shown again', async () => JSON.stringify(await high()) === JSON.stringify(before));
  await page.keyboard.press('PageUp');
  await until('the same by keys', async () => JSON.stringify(await high()) !== JSON.stringify(before));
  await page.keyboard.press('0');
  await page.evaluate(() => localStorage.removeItem('baseline'));
  await page.reload();
});

test('two runs are compared for the meeting by keyboard alone', async () => {
  await page.goto(`${service.url}/#/`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  // From here on no pointer.
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '');
  const tabTo = async (what, key = 'Tab') => {
    for (let i = 0; i < 120; i += 1) {
      await page.keyboard.press(key);
      if (what.test(await focused())) return;
    }
    assert.fail(`Tab does not reach ${what}; it is at "${await focused()}"`);
  };
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor();
  await page.locator('.vtable .tick').first().waitFor();
  await tabTo(/^Compare net-/);
  await page.keyboard.press('Space');
  await tabTo(/^Compare forest-/);
  await page.keyboard.press('Space');
  await page.getByText('2 runs are chosen').waitFor();
  await tabTo(/^Compare$/, 'Shift+Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Compare 2 runs' }).waitFor();
  const verdict = page.getByRole('region', { name: 'Verdict' });
  assert.match(await verdict.textContent(), /best on val\/accuracy.*run only once/);
  await check('compare-two');
  await tabTo(/^Charts$/);
  await page.keyboard.press('Enter');
  await drawn('val/accuracy').waitFor({ state: 'attached' });
  const curve = figure('val/accuracy').last();
  await curve.locator('g.series').first().waitFor({ state: 'attached' });
  await tabTo(/^val\/loss: read values/);
  const reader = figure('val/loss').getByRole('slider');
  await page.keyboard.press('ArrowRight');
  await until('the values are read', async () => {
    const text = await reader.getAttribute('aria-valuetext');
    if (/^step 0: .*; /.test(text)) return true;
    await page.keyboard.press('Home');
    return false;
  });
  await page.keyboard.press('ArrowDown');
  await until('one line is lit', async () => (await figure('val/loss').locator('g.series[data-dim]').count()) === 1);
  await page.keyboard.press('+');
  await figure('val/loss').getByRole('button', { name: 'Show all' }).waitFor();
  await page.keyboard.press('0');
  await figure('val/loss').getByRole('button', { name: 'Show all' }).waitFor({ state: 'detached' });
  await page.keyboard.press('p');
  await page.getByRole('heading', { name: 'Pin a remark to val/loss' }).waitFor();
  await check('pin');
  await tabTo(/^$/);
  await page.getByRole('textbox', { name: 'What is to be known here' }).focus();
  await page.keyboard.type('Say this in the meeting');
  await tabTo(/^Pin it$/);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /Remark at step 0: Say this in the meeting/ }).waitFor();
});

test('a report with a chart is written and kept as evidence', async () => {
  await page.goto(`${service.url}/#/runs`);
  await page.locator('.vtable tbody a').first().click();
  await page.getByRole('link', { name: 'Notes' }).click();
  await page.getByRole('button', { name: 'Write a note' }).click();
  await page.getByRole('textbox', { name: 'Title' }).fill('Why this one');
  await page.getByRole('button', { name: 'Put in a chart…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Add to metrics').selectOption('val/accuracy');
  await dialog.locator('svg desc').first().waitFor({ state: 'attached' });
  await dialog.getByRole('button', { name: 'Put it in' }).click();
  await page.getByRole('region', { name: 'Preview' }).locator('svg desc').first().waitFor({ state: 'attached' });
  await page.getByRole('button', { name: 'Save the note' }).click();
  await page.getByRole('button', { name: 'Keep what it shows now as evidence' }).click();
  const kept = page.getByRole('button', { name: /Kept as evidence/ });
  await kept.waitFor();
  await check('report');
  await kept.click();
  await page.frameLocator('iframe').getByRole('heading', { name: 'Why this one' }).waitFor();
  await page.frameLocator('iframe').locator('svg').first().waitFor();
  await page.keyboard.press('Escape');
});

test('charts can be read in the dark and at 200 %', async () => {
  await page.evaluate(() => localStorage.setItem('theme', 'dark'));
  await page.goto('about:blank');
  await page.setViewportSize({ width: 640, height: 400 });
  await page.goto(`${service.url}/#/runs?as=charts&filter=${encodeURIComponent("params.seed = '0' AND params.depth = '2'")}`);
  await scrollTo('val/accuracy');
  const wider = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1);
  assert.equal(wider, false, 'no sideways scrolling');
  await check('charts-dark-200');
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.evaluate(() => localStorage.setItem('theme', 'light'));
});

test('nothing failed behind the scenes', () => {
  const real = problems.filter((p) => !/400 \(Bad Request\)|about:srcdoc/.test(p));
  assert.deepEqual(real, []);
});
