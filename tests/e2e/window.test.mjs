// Journeys in the real window, driven through WebKit's own driver (what tauri-driver starts on Linux).
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test as plain } from 'node:test';
import { promisify } from 'node:util';
import { bin, cairn, outDir, require, root, temporary, until } from './program.mjs';

const { Builder, By, Key } = require('selenium-webdriver');
const PORT = 4479;
const test = (name, body) => plain(name, { timeout: 60_000 }, body);

let place;
let driver;
let session;
const env = {};
const services = new Set();

before(async () => {
  place = temporary();
  Object.assign(env, { CAIRN_HOME: `${place.dir}/home` });
  driver = spawn('WebKitWebDriver', [`--port=${PORT}`], {
    // With these the window lets itself be driven; tauri-driver sets the same.
    env: { ...process.env, ...env, TAURI_AUTOMATION: 'true', TAURI_WEBVIEW_AUTOMATION: 'true', WEBKIT_DISABLE_DMABUF_RENDERER: '1' },
    stdio: 'ignore',
  });
  await until('the driver', async () => (await fetch(`http://127.0.0.1:${PORT}/status`)).ok);
});

after(async () => {
  await session?.quit().catch(() => {});
  driver?.kill();
  // The services outlive the window by design; these journeys are over.
  for (const dir of [`${place.dir}/home/workspaces/first-steps`, `${place.dir}/sample`]) {
    try {
      note(dir);
    } catch {
      // This one was never started.
    }
  }
  for (const pid of services) {
    try {
      process.kill(pid);
    } catch {
      // It ended by itself.
    }
  }
  place?.end();
});

async function open(...args) {
  await session?.quit();
  session = await new Builder()
    .usingServer(`http://127.0.0.1:${PORT}`)
    .withCapabilities({ browserName: 'wry', 'webkitgtk:browserOptions': { binary: bin('cairn-desktop'), args } })
    .build();
}

const xpath = (text) => `"${text}"`;
const find = (path) => until(path, () => session.findElement(By.xpath(path)));
const see = (text) => find(`//*[contains(normalize-space(.), ${xpath(text)})][not(self::html or self::body)]`);
const press = async (name) => (await find(`//*[self::button or self::a][contains(normalize-space(.), ${xpath(name)})]`)).click();
const fill = async (label, value) => {
  const field = await find(`//label[contains(normalize-space(.), ${xpath(label)})]//*[self::input or self::textarea]`);
  await field.clear();
  await field.sendKeys(value);
};
/** A picture of the screen: the driver's own screenshots hang without a compositor. */
const shot = (name) => promisify(execFile)('import', ['-silent', '-window', 'root', `${outDir}/window-${name}.png`]);
const go = (path) => session.executeScript(`location.hash = ${JSON.stringify(path)}`);

function note(workspace) {
  const found = JSON.parse(readFileSync(`${workspace}/serve.json`, 'utf8'));
  services.add(found.pid);
  return found;
}

const workspaceOf = () => JSON.parse(cairn(env, 'status', '--json')).app.workspace.dir;

test('the first run makes a workspace, and its key lies in the keyring', async () => {
  await open();
  await see('Welcome to Cairn');
  await shot('welcome');
  await press('Create a workspace');
  await fill('Name of the workspace', 'First steps');
  await fill('Your name', 'Olga Tester');
  await (await find('//label[contains(., "Business owner")]/input')).click();
  await shot('create');
  await press('Create the workspace');
  await see('Hello, Olga');
  await see('No projects yet');
  await shot('home');
  const dir = workspaceOf();
  assert.throws(() => readFileSync(`${dir}/device.key`), 'no key file: the key is in the keyring');
  assert.match(cairn(env, 'doctor', '--workspace', dir, '--json').replace(/\s/g, ' ') || '', /key can be used/);
});

test('an unchanged training script appears with the values that its client reads back', async () => {
  const dir = workspaceOf();
  await see('Tracking at 127.0.0.1');
  const { url } = note(dir);
  const { stdout } = await promisify(execFile)(`${root}/.venv/bin/python`, ['tests/peers/train_script.py', url], {
    cwd: root,
    env: { ...process.env, MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1' },
  });
  const client = JSON.parse(stdout.trim().split('\n').pop());
  assert.equal(client.reloaded, true);
  const runs = JSON.parse(cairn(env, 'runs', '--workspace', dir, '--json'));
  const run = runs.find((r) => r.id === client.run_id);
  assert.equal(Number(run.metrics.accuracy), Number(client.metrics.accuracy));
  await go('/runs');
  await press('by-hand');
  const accuracy = await find('//td[@data-metric="accuracy"]/span');
  assert.equal(Number(await accuracy.getAttribute('title')), Number(client.metrics.accuracy), 'the window shows what the client logged');
  await find('//figure[.//h2[text()="loss"]]//*[local-name()="polyline"]');
  assert.match(await (await find('//figure[.//h2[text()="loss"]]//figcaption')).getText(), /loss went from 1 to 0.02 over 50 points/);
  await shot('run');
});

test('a curve grows while the script still trains', async () => {
  const dir = workspaceOf();
  const { url } = note(dir);
  const call = async (name, body) => {
    const answer = await fetch(`${url}/api/2.0/mlflow/${name}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    assert.equal(answer.status, 200);
    return answer.json();
  };
  const { run } = await call('runs/create', { experiment_id: '0', run_name: 'live', start_time: 1 });
  const log = (step) => call('runs/log-metric', { run_id: run.info.run_id, key: 'loss', value: 1 / (step + 1), timestamp: step, step });
  await log(0);
  await log(1);
  await go(`/runs/${run.info.run_id}`);
  await see('over 2 points');
  for (let step = 2; step < 20; step += 1) await log(step);
  await see('over 20 points');
  await see('Running');
});

test('the loopback service that is killed comes back by itself, with every acknowledged point', async () => {
  const dir = workspaceOf();
  const before = note(dir);
  process.kill(before.pid, 'SIGKILL');
  const back = await until('the service', async () => {
    const now = note(dir);
    return now.pid !== before.pid && (await fetch(`${now.url}/health`)).ok && now;
  });
  assert.equal(back.url, before.url, 'the address stays the same: scripts have it in their settings');
});

test('the owner approves in the window, the scientist sees it, and an edit makes it stale', async () => {
  const sample = `${place.dir}/sample`;
  cairn(env, 'demo', sample);
  const dan = `${sample}/team/dan`;
  await open('--workspace', sample);
  await see('Hello, Ana');
  await shot('sample');
  await press('Decide on grower-recognition version 1');
  await see('Waits for the decision of: Business owner.');
  await press('Approve…');
  await fill('Reason', 'Better than by hand.');
  await shot('sign');
  await press('Approve and sign');
  await see('Approved. It may go live.');
  const lastShared = () => JSON.parse(cairn(env, 'call', 'sharing.status', '--workspace', sample)).last_ok_ms;
  const before = lastShared();
  await press('Share');
  await until('it is shared', async () => lastShared() !== before);

  cairn(env, 'share', '--workspace', dan);
  const release = (await session.getCurrentUrl()).split('/').pop();
  assert.match(cairn(env, 'gate', '--release', release, '--workspace', dan), /Approved/, 'exit 0 on the other computer');

  const version = JSON.parse(cairn(env, 'call', 'release.get', JSON.stringify({ release }), '--workspace', dan)).version.id;
  cairn(env, 'call', 'card.edit', JSON.stringify({ version, section: 'contact', text: 'Somebody else' }), '--workspace', dan);
  cairn(env, 'share', '--workspace', dan);
  assert.throws(() => cairn(env, 'gate', '--release', release, '--workspace', dan), 'exit 1: the gate is closed again');
  await press('Share');
  await see('Stale: the model card changed after it was signed');
  await shot('stale');
  note(sample);

  // What lies in the shared place now, checked with tools that are not ours.
  const bundle = `${place.dir}/audit`;
  cairn(env, 'audit', 'export', '--out', bundle, '--workspace', sample);
  const shared = `${sample}/team/shared.git`;
  const git = (...words) => execFileSync('git', ['-C', shared, '-c', `gpg.ssh.allowedSignersFile=${bundle}/allowed_signers`, ...words], { encoding: 'utf8', stdio: 'pipe' });
  const commits = git('rev-list', '--all').trim().split('\n');
  assert.ok(commits.length > 20);
  for (const commit of commits) git('verify-commit', commit);
  assert.equal(git('fsck', '--strict'), '');
  const page = readFileSync(`${bundle}/VERIFY.md`, 'utf8');
  const script = page.split('```sh\n').slice(1).map((block) => block.split('```')[0]).join('');
  execFileSync('bash', ['-e', '-c', script], { cwd: bundle, stdio: 'pipe' });
});

test('the keyboard reaches the palette in the real window, too', async () => {
  await session.actions().keyDown(Key.CONTROL).sendKeys('k').keyUp(Key.CONTROL).perform();
  await (await find('//input[@role="combobox"]')).sendKeys('team', Key.ENTER);
  await find('//h1[text()="Team"]');
});

test('what begins to wait while the window is not in front is told by the desktop, and a click opens it', async () => {
  const sample = `${place.dir}/sample`;
  const dan = `${sample}/team/dan`;
  const desktop = (...words) => execFileSync('dunstctl', words, { encoding: 'utf8' });
  const shown = () => Number(desktop('count', 'displayed'));
  // Something else has the keyboard now: the screen itself.
  const [, screen] = execFileSync('xwininfo', ['-root'], { encoding: 'utf8' }).match(/Window id: (0x[0-9a-f]+)/);
  const told = () =>
    execFileSync('python3', ['-c', 'import sqlite3,sys; print(*sqlite3.connect(sys.argv[1]).execute("SELECT value FROM local WHERE key = \'told\'").fetchone())', `${sample}/cairn.db`], { encoding: 'utf8' });
  await until('what is in the window counts as told', async () => told().includes('sign_again/'));
  execFileSync('xdotool', ['windowfocus', screen]);
  const [project] = JSON.parse(cairn(env, 'call', 'portfolio.list', '{}', '--workspace', dan));
  const me = JSON.parse(cairn(env, 'status', '--json', '--workspace', sample)).app.workspace.me.id;
  const finding = JSON.parse(
    cairn(env, 'call', 'finding.save', JSON.stringify({ project: project.id, title: 'Night pictures are <b>too dark</b>', severity: 'low' }), '--workspace', dan),
  );
  const to = { finding: finding.id, to: { kind: 'member', id: me } };
  cairn(env, 'call', 'finding.assign', JSON.stringify(to), '--workspace', dan);
  cairn(env, 'share', '--workspace', dan);
  cairn(env, 'share', '--workspace', sample);
  await until('the message', async () => shown() > 0);
  await shot('notice');
  await until('a click opens the page of findings', async () => {
    desktop('action');
    return (await session.getCurrentUrl()).endsWith(`/projects/${project.id}/checks`);
  });
  await see('Night pictures are <b>too dark</b>');
  desktop('close-all');
  const history = desktop('history');
  assert.match(history, /Finding: Night pictures/);
  assert.doesNotMatch(history, /things wait|Look again/, 'what was there to see in the window is not told of');
});

test('a folder without a workspace is named, with what to do', async () => {
  await open('--workspace', `${place.dir}/nothing-here`);
  await see('There is no Cairn workspace in');
  await see('choose another folder');
  await see('Create a workspace');
});
