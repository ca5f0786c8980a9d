// How a page of two hundred charts scrolls: the longest time between two frames, in the real window or in a browser.
//   node bench_charts.mjs browser URL TOKEN      node bench_charts.mjs window WORKSPACE  (under xvfb-run)
import { spawn } from 'node:child_process';
import { bin, require, until } from './program.mjs';

/** Scrolls to the end, a third of the page a second, and tells the times between frames in milliseconds. */
const scroll = () =>
  new Promise((resolve) => {
    const page = document.querySelector('.main');
    const times = [];
    let last = performance.now();
    const next = (now) => {
      times.push(now - last);
      last = now;
      const end = page.scrollTop + page.clientHeight >= page.scrollHeight - 2;
      if (end || times.length > 4000) resolve({ times: times.slice(2), charts: document.querySelectorAll('.chart-card').length, drawn: document.querySelectorAll('.chart-card g.series').length });
      else {
        page.scrollTop += 24;
        requestAnimationFrame(next);
      }
    };
    requestAnimationFrame(next);
  });

function say(where, { times, charts, drawn }) {
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))].toFixed(1);
  const late = times.filter((t) => t > 33).length;
  console.log(`${where}: ${charts} charts, ${drawn} lines drawn, ${times.length} frames: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms, over 33 ms: ${late}`);
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === 'browser') {
  const { chromium } = require('playwright-core');
  const [url, token] = rest;
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${url}/?token=${token}`);
  await page.goto(`${url}/#/runs?as=charts`);
  await page.locator('.chart-card g.series').first().waitFor({ state: 'attached' });
  say('in Chromium', await page.evaluate(scroll));
  await browser.close();
} else {
  const { Builder } = require('selenium-webdriver');
  const PORT = 4481;
  const driver = spawn('WebKitWebDriver', [`--port=${PORT}`], {
    env: { ...process.env, TAURI_AUTOMATION: 'true', TAURI_WEBVIEW_AUTOMATION: 'true', WEBKIT_DISABLE_DMABUF_RENDERER: '1' },
    stdio: 'ignore',
  });
  let session;
  try {
    await until('the driver', async () => (await fetch(`http://127.0.0.1:${PORT}/status`)).ok);
    session = await new Builder()
      .usingServer(`http://127.0.0.1:${PORT}`)
      .withCapabilities({ browserName: 'wry', 'webkitgtk:browserOptions': { binary: process.env.CAIRN_DESKTOP ?? bin('cairn-desktop'), args: rest } })
      .build();
    await session.manage().setTimeouts({ script: 120_000 });
    await until('the window', () => session.executeScript("return document.querySelector('.side') !== null"));
    await session.executeScript("location.hash = '/runs?as=charts'");
    await until('charts', () => session.executeScript("return document.querySelectorAll('.chart-card g.series').length > 4"));
    const scrolled = () => session.executeAsyncScript(`const done = arguments[0]; (${scroll})().then(done)`);
    say('in the window', await scrolled());
    // What the machine itself needs to scroll a page of empty cards, without a graphics card: the floor.
    await session.executeScript(`const style = document.createElement('style'); style.textContent = '.chart-card * { visibility: hidden !important }'; document.head.append(style); document.querySelector('.main').scrollTop = 0;`);
    say('the same page with its charts hidden', await scrolled());
  } finally {
    await session?.quit().catch(() => undefined);
    driver.kill();
  }
}
