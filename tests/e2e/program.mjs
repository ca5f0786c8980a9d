// Starts Cairn's own programs for the journeys, and ends only what it started.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const bin = (name) => join(root, 'target/debug', name);
/** Packages of the journeys are installed with the pages. */
export const require = createRequire(join(root, 'ui/package.json'));

export function temporary() {
  const dir = mkdtempSync(join(tmpdir(), 'cairn-e2e-'));
  return { dir, end: () => rmSync(dir, { recursive: true, force: true }) };
}

export function cairn(env, ...args) {
  return execFileSync(bin('cairn'), args, { env: { ...process.env, ...env }, encoding: 'utf8' });
}

/** The loopback service of a workspace, on a free port, with the built pages. */
export async function serve(env, workspace) {
  const child = spawn(bin('cairn'), ['--workspace', workspace, '--json', 'serve', '--port', '0', '--pages', join(root, 'ui/dist')], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise((resolve, reject) => {
    child.stdout.once('data', (data) => resolve(String(data)));
    child.once('exit', (code) => reject(new Error(`cairn serve ended: ${code}`)));
  });
  return { ...JSON.parse(line), end: () => child.kill() };
}

export const outDir = join(root, 'tests/e2e/out');
mkdirSync(outDir, { recursive: true });

/** Asks until the answer is true; a journey waits for what it needs, never for a time. */
export async function until(what, ask, patience = 30_000) {
  const end = Date.now() + patience;
  for (;;) {
    const answer = await ask().catch(() => false);
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
