// The pages in a real browser, with axe looking at them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { outDir, require } from './program.mjs';

const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** A browser on the pages of a service; what goes wrong behind the scenes is collected in `problems`. */
export async function look(service) {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const problems = [];
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await page.goto(`${service.url}/?token=${service.token}`);
  const check = async (name) => {
    // The policy of the page forbids foreign scripts, so axe comes through the debugger.
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
    const list = violations.map((v) => `${v.id}: ${v.help} (${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')})`);
    assert.deepEqual(list, [], `axe on ${name}`);
    await page.screenshot({ path: `${outDir}/${name}.png` });
  };
  return { browser, page, problems, check };
}
