// Journeys along the guided way in a real browser, from an empty workspace.
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

before(async () => {
  place = temporary();
  const env = { CAIRN_HOME: `${place.dir}/home`, CAIRN_PASSPHRASE: 'browser journeys', CAIRN_SHARE_BY_HAND: '1' };
  cairn(env, 'init', `${place.dir}/ws`, '--name', 'Clinic', '--person', 'Ana', '--role', 'business_owner');
  service = await serve(env, `${place.dir}/ws`);
  ({ browser, page, problems, check } = await look(service));
});

after(async () => {
  await browser?.close();
  service?.end();
  place?.end();
});

test('a team makes a lifecycle of its own, and a mistake is named with its line', async () => {
  await page.getByRole('link', { name: 'Lifecycles' }).click();
  await page.getByRole('heading', { level: 1, name: 'Lifecycles' }).waitFor();
  await page.locator('summary', { hasText: 'What it asks for' }).first().click();
  await page.getByText('G1: From the business problem to the data').waitFor();
  await check('lifecycles');
  await page.getByRole('button', { name: 'Copy and change… Light' }).click();
  const dialog = page.getByRole('dialog');
  const field = dialog.getByRole('textbox', { name: 'The lifecycle as text' });
  const text = await field.inputValue();
  assert.match(text, /name: "Light of ours"/);
  await field.fill(text.replace('owner: data_engineer', 'owner: wizard'));
  await dialog.getByRole('button', { name: /^Line \d+: `wizard` is not known here/ }).click();
  const chosen = await field.evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd));
  assert.match(chosen, /owner: wizard/, 'the very line is shown');
  assert.ok(await dialog.getByRole('button', { name: 'Save for the team' }).isDisabled());
  await check('lifecycle-mistake');
  await field.fill(text.replace('Describe the problem', 'Describe the problem in two sentences'));
  await dialog.getByText('It can be used.').waitFor();
  await dialog.locator('ins', { hasText: 'Describe the problem in two sentences' }).waitFor();
  await dialog.getByRole('button', { name: 'Save for the team' }).click();
  await page.getByRole('heading', { level: 2, name: 'Light of ours' }).waitFor();
});

test('a project begins with a lifecycle, sees what the records say, and is moved to another', async () => {
  await page.getByRole('button', { name: 'Start a project' }).first().click();
  await page.getByLabel('What do you want to achieve?').fill('Fewer missed appointments');
  await page.getByLabel('What is the problem today?').fill('One in eight patients does not come.');
  await check('new-project');
  await page.getByRole('button', { name: 'Start the project' }).click();
  await page.getByRole('heading', { level: 1, name: 'Fewer missed appointments' }).waitFor();
  await page.getByText('Lifecycle: Standard').waitFor();
  await page.getByText('Nobody is named as data scientist yet.').waitFor();
  await page.getByRole('link', { name: 'Handoffs' }).click();
  await page.getByRole('button', { name: 'Begin the checklist G1' }).click();
  await page.getByRole('link', { name: 'G1: From the business problem to the data' }).click();
  await page.getByRole('button', { name: 'Pick it up' }).click();
  await page.getByText('Nobody is named yet as business owner, data scientist, validator.').waitFor();
  await page.getByRole('button', { name: 'Do item G1.1' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Do item G1.7' }).count(), 0, 'what Cairn sees nobody ticks');
  await check('handoff-records');
  await page.getByRole('link', { name: 'Fewer missed appointments', exact: true }).click();
  await page.getByRole('button', { name: 'Change… the lifecycle' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('radio', { name: /^Light of ours/ }).check();
  await dialog.getByText('Not asked for any more').waitFor();
  await dialog.getByLabel('Why?').fill('A pilot with ten patients.');
  await check('move-lifecycle');
  await dialog.getByRole('button', { name: 'Move the project' }).click();
  await page.getByText('Lifecycle: Light of ours').waitFor();
  await page.getByText('Describe the problem in two sentences').waitFor();
  await page.getByRole('link', { name: 'History' }).click();
  await page.getByText(/moved the project to the lifecycle of the team/).first().waitFor();
});

test('lifecycles can be read in the dark and at 200 %', async () => {
  await page.getByRole('button', { name: 'Switch between light and dark' }).click();
  await page.setViewportSize({ width: 640, height: 800 });
  await page.goto(`${service.url}/#/lifecycles`);
  await page.getByRole('heading', { level: 1, name: 'Lifecycles' }).waitFor();
  await until('nothing is cut off', () => page.evaluate(() => ['.main', 'html'].every((part) => document.querySelector(part).scrollWidth <= Math.min(innerWidth, document.querySelector(part).clientWidth))));
  await check('lifecycles-dark-200');
});

test('nothing failed behind the scenes', () => {
  assert.deepEqual(problems.filter((p) => !/400 \(Bad Request\)/.test(p)), []);
});
