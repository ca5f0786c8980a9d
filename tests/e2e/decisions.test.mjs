// Journeys of decisions, in the sample: a rejection that is remembered, an approval that is taken back, a stranger who is
// declined, and an auditor who has no Cairn.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test as plain } from 'node:test';
import { look } from './pages.mjs';
import { cairn, serve, temporary } from './program.mjs';

const test = (name, body) => plain(name, { timeout: 180_000 }, body);

let place;
let env;
const people = {};
let release = '';

const share = (who) => cairn(env, '--workspace', people[who].ws, 'share');
const call = (who, command, request = {}) =>
  JSON.parse(cairn(env, '--workspace', people[who].ws, '--json', 'call', command, JSON.stringify(request)));
const everybody = () => {
  for (const who of ['ana', 'dan', 'mia', 'ana', 'dan', 'mia', 'ana']) share(who);
};

async function sit(who) {
  const person = people[who];
  person.service = await serve(env, person.ws);
  Object.assign(person, await look(person.service));
  // Colours change at once: axe must not measure one on its way.
  await person.page.emulateMedia({ reducedMotion: 'reduce' });
  person.go = async (hash, heading) => {
    await person.page.goto(`${person.service.url}/#${hash}`);
    await person.page.getByRole('heading', { level: 1, name: heading }).first().waitFor();
  };
}

/** As it looks in light and in dark. */
async function both(person, name) {
  await person.check(name);
  // A colour on its way is no colour to judge: all transitions have ended.
  const theme = (word) =>
    person.page.evaluate(async (t) => {
      document.documentElement.dataset.theme = t;
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      await frame();
      await Promise.all(document.getAnimations().map((a) => a.finished.catch(() => undefined)));
      await frame();
    }, word);
  await theme('dark');
  await person.check(`${name}-dark`);
  await theme('light');
}

async function decide(person, verb, reason, sign) {
  await person.page.getByRole('button', { name: `${verb}…` }).click();
  await person.page.getByRole('dialog').getByLabel('Reason').fill(reason);
  await person.page.getByRole('button', { name: sign }).click();
  await person.page.getByRole('dialog').waitFor({ state: 'detached' });
}

before(async () => {
  place = temporary();
  env = { CAIRN_HOME: `${place.dir}/home`, CAIRN_PASSPHRASE: 'decision journeys', CAIRN_SHARE_BY_HAND: '1' };
  const ws = `${place.dir}/ws`;
  cairn(env, 'demo', ws);
  Object.assign(people, { ana: { ws }, dan: { ws: `${ws}/team/dan` }, mia: { ws: `${ws}/team/mia` } });
  await sit('ana');
  await sit('dan');
});

after(async () => {
  for (const person of Object.values(people)) {
    await person.browser?.close();
    person.service?.end();
  }
  place?.end();
});

test('a rejection is remembered: asking again answers it, and whoever decides reads both', async () => {
  const { ana, dan } = people;
  await ana.go('/', /Hello, Ana/);
  await ana.page.getByRole('button', { name: /Decide on grower-recognition/ }).click();
  await ana.page.getByRole('heading', { level: 1, name: /May grower-recognition/ }).waitFor();
  await decide(ana, 'Reject', 'A fourth grower would be sorted wrongly without a word.', 'Reject and sign');
  await ana.page.getByText('The release was rejected.').first().waitFor();
  await both(ana, 'rejected');
  const version = call('ana', 'release.get', { release: ana.page.url().split('/').pop() }).version.id;
  everybody();

  await dan.go(`/cards/${version}`, /grower-recognition/);
  await dan.page.getByRole('button', { name: 'Request a release' }).click();
  const dialog = dan.page.getByRole('dialog');
  await dialog.getByText('A fourth grower would be sorted wrongly').waitFor();
  await both(dan, 'ask-again');
  await dialog.getByLabel('Why should this version go live?').fill('It now says when it does not know.');
  await dialog.getByLabel(/What is different now/).fill('Bottles that are like no grower are put aside by hand.');
  await dialog.getByRole('button', { name: 'Request the release' }).click();
  await dan.page.getByRole('heading', { level: 1, name: /May grower-recognition/ }).waitFor();
  await dan.page.getByText('Bottles that are like no grower are put aside').first().waitFor();
  release = dan.page.url().split('/').pop();
  everybody();

  await ana.go(`/releases/${release}`, /May grower-recognition/);
  await ana.page.getByText('Bottles that are like no grower are put aside').first().waitFor();
  await both(ana, 'asked-again');
  await decide(ana, 'Approve', 'That is what I asked for.', 'Approve and sign');
  await ana.page.getByText('Approved. It may go live.').first().waitFor();
  everybody();
  const gate = JSON.parse(cairn(env, '--workspace', people.dan.ws, '--json', 'gate', '--release', release));
  assert.equal(gate.verdict, 'pass', JSON.stringify(gate.reasons));
});

test('an approval is taken back, and the page that was signed is there as it was', async () => {
  const { ana } = people;
  await ana.go(`/releases/${release}`, /May grower-recognition/);
  await ana.page.getByRole('button', { name: 'What Ana Berg was shown' }).first().click();
  await ana.page.getByRole('dialog').getByText('Bottles that are like no grower').first().waitFor();
  await both(ana, 'kept-page');
  await ana.page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await decide(ana, 'Take the approval back', 'The first delivery was sorted wrongly.', 'Take back and sign');
  await ana.page.getByText('took the approval back').first().waitFor();
  await both(ana, 'taken-back');
  const gate = spawnGate(people.ana.ws, release);
  assert.equal(gate.status, 1, 'the pipeline stops');
  assert.equal(JSON.parse(gate.stdout).verdict, 'fail');
});

function spawnGate(ws, id) {
  const program = new URL('../../target/debug/cairn', import.meta.url).pathname;
  return spawnSync(program, ['--workspace', ws, '--json', 'gate', '--release', id], { env: { ...process.env, ...env }, encoding: 'utf8' });
}

test('a stranger with a known name is shown as one, and declined', async () => {
  const { ana } = people;
  const invitation = call('ana', 'app.status').workspace.invitation;
  cairn({ ...env, CAIRN_HOME: `${place.dir}/home-stranger` }, 'join', `${place.dir}/stranger`, invitation, '--person', 'Mia Chen');
  share('ana');
  await ana.go('/team', 'Team');
  const card = ana.page.getByRole('region', { name: 'Mia Chen asks to join' });
  await card.getByText('This name looks like that of').waitFor();
  await both(ana, 'stranger');
  await card.getByRole('button', { name: /Decline/ }).click();
  await ana.page.getByRole('dialog').getByLabel('Why?').fill('Mia sits beside me and did not ask.');
  await ana.page.getByRole('dialog').getByRole('button', { name: 'Decline' }).click();
  await card.waitFor({ state: 'detached' });
  share('ana');
  share('mia');
  assert.deepEqual(call('mia', 'member.list').requests, []);
});

test('an auditor without Cairn checks the bundle from the fingerprint, and a changed one fails', () => {
  const bundle = `${place.dir}/audit`;
  const fingerprint = JSON.parse(cairn(env, '--workspace', people.ana.ws, '--json', 'status')).fingerprint;
  cairn(env, '--workspace', people.ana.ws, 'audit', 'export', '--out', bundle);
  const verify = (print) => spawnSync('python3', [`${bundle}/verify.py`, print], { encoding: 'utf8', env: { PATH: process.env.PATH } });
  const good = verify(fingerprint);
  assert.equal(good.status, 0, good.stdout + good.stderr);
  assert.match(good.stdout.trim().split('\n').pop(), /^VERIFIED/);
  assert.equal(verify('0'.repeat(64)).status, 1, 'of another workspace');
});
