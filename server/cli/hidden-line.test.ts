import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { askHidden } from './hidden-line.ts';

const ENTER = '\r';
const CTRL_C = '\x03';
const CTRL_D = '\x04';

test.each([
  ['the line', `0004918337${ENTER}`, '0004918337'],
  ['nothing where Ctrl+C is pressed', `0004${CTRL_C}`, ''],
  ['nothing where Ctrl+D is pressed', CTRL_D, ''],
])('answers %s, and shows the question alone', async (_, typed, answer) => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  input.write(typed);
  expect(await askHidden('Badge: ', input, output)).toBe(answer);
  output.end();
  expect(await text(output)).toBe('Badge: \n');
});
