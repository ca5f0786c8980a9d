import { expect, test } from 'vitest';
import { apart } from './labels';

test('texts come out of the picture with their places, and names are what they were', () => {
  const svg =
    '<svg><text x="400" y="1860" dy="0.76em" text-anchor="middle" font-family="Inter" font-size="97" opacity="1" fill="#51595A" transform="rotate(270, 400, 1860)">\na &lt;b&gt; &amp;amp; c\n</text><line x1="0"/></svg>';
  const { art, labels } = apart(svg);
  expect(art).toBe('<svg><line x1="0"/></svg>');
  expect(labels).toEqual([
    { text: 'a <b> &amp; c', x: 40, y: 186, size: 9.7, colour: '#51595A', anchor: 'middle', dy: '0.76em', turned: 270 },
  ]);
});
