import { readFileSync } from 'node:fs';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Turns `assets/tokens.json` into custom properties, so that charts and the window share one source. */
function tokens(): Plugin {
  const id = 'virtual:tokens.css';
  const file = new URL('../assets/tokens.json', import.meta.url);
  const block = (values: Record<string, string>) =>
    Object.entries(values)
      .map(([name, value]) => `  --${name}: ${value};`)
      .join('\n');
  return {
    name: 'cairn-tokens',
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load(source) {
      if (source !== `\0${id}`) return;
      this.addWatchFile(file.pathname);
      const all = JSON.parse(readFileSync(file, 'utf8'));
      const series = (colours: string[]) => Object.fromEntries(colours.map((c, i) => [`series-${i}`, c]));
      const light = block({ ...all.light, ...series(all.chart.light) });
      const dark = block({ ...all.dark, ...series(all.chart.dark) });
      return `:root {\n${light}\n  --font-body: ${all.font.body};\n  --font-mono: ${all.font.mono};\n  color-scheme: light;\n}\n:root[data-theme='dark'] {\n${dark}\n  color-scheme: dark;\n}\n`;
    },
  };
}

export default defineConfig({
  plugins: [react(), tokens()],
  build: { target: 'safari16', chunkSizeWarningLimit: 900 },
  test: { environment: 'jsdom', globals: false, setupFiles: ['src/test-setup.ts'], include: ['src/**/*.test.{ts,tsx}'] },
} as Parameters<typeof defineConfig>[0]);
