// How long the table of runs takes to open in a browser: from the address to the first row that is painted.
import { require } from './program.mjs';

const { chromium } = require('playwright-core');
const [url, token] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
await page.goto(`${url}/?token=${token}`);
await page.getByRole('heading', { level: 1 }).waitFor();
const times = [];
for (let i = 0; i < 7; i += 1) {
  await page.goto(`${url}/#/team`);
  await page.getByRole('heading', { level: 1, name: 'Team' }).waitFor();
  times.push(
    await page.evaluate(
      () =>
        new Promise((resolve) => {
          const begun = performance.now();
          const look = () => {
            if (document.querySelector('.vtable tbody a')) requestAnimationFrame(() => resolve(performance.now() - begun));
            else requestAnimationFrame(look);
          };
          location.hash = '#/runs';
          look();
        }),
    ),
  );
  // The next one is as cold as the first: nothing of the table is remembered.
  await page.reload();
  await page.getByRole('heading', { level: 1 }).waitFor();
}
times.sort((a, b) => a - b);
console.log(`the table in a browser, from the click to its first rows: p50 ${times[3].toFixed(0)} ms, worst ${times[6].toFixed(0)} ms`);
await browser.close();
