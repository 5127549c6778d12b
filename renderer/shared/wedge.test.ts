import fc from 'fast-check';
import { expect, test } from 'vitest';
import { strokeOf, Wedge, type KeyPress, type Scan, type Stroke, type Verdict } from './wedge.ts';

const RULES = {
  signIn: 'with-pin',
  pinMinLength: 6,
  prefix: '',
  suffix: 'enter',
  minLength: 6,
  maxGapMs: 50,
} as const;
type Rules = ConstructorParameters<typeof Wedge>[0];

interface Timed {
  readonly stroke: Stroke;
  /** Since the press before. */
  readonly gapMs: number;
}

/** Presses the keys, and ends each scan as a page does: when nothing has come for long enough. */
function typeAll(
  rules: Rules,
  keys: readonly Timed[],
): { verdicts: Verdict[]; scans: Scan[]; passed: string } {
  const wedge = new Wedge(rules);
  const verdicts: Verdict[] = [];
  const scans: Scan[] = [];
  let atMs = 1000;
  /** What has reached the page, and how much of it since the run began. */
  let [passed, ofRun] = ['', 0];
  for (const { stroke, gapMs } of keys) {
    atMs += gapMs;
    if (wedge.reads && wedge.isOver(atMs)) scans.push(wedge.end());
    const verdict = wedge.press(stroke, atMs);
    verdicts.push(verdict);
    if (verdict === 'begin') ofRun = 0;
    if (verdict === 'reclaim') passed = passed.slice(0, passed.length - ofRun);
    if (verdict === 'swallow' || verdict === 'reclaim') continue;
    passed += typeof stroke === 'string' ? '' : stroke.char;
    ofRun += 1;
  }
  if (wedge.reads) scans.push(wedge.end());
  return { verdicts, scans, passed };
}

function strokesOf(text: string): Stroke[] {
  return Array.from(text, (char) => (char === '\n' ? 'enter' : char === '\t' ? 'tab' : { char }));
}

/** At the speed of a reader, after a pause. */
function scan(text: string, gapMs = 4): Timed[] {
  return strokesOf(text).map((stroke, at) => ({ stroke, gapMs: at === 0 ? 1000 : gapMs }));
}

const char = fc.constantFrom(...'0123456789ABCDEFabcxyz -_:;äöüß');
const number = (min: number) =>
  fc.string({ unit: char, minLength: min, maxLength: 128 }).filter((text) => text.trim() === text);
const anyStroke: fc.Arbitrary<Stroke> = fc.oneof(
  { weight: 8, arbitrary: char.map((one) => ({ char: one })) },
  fc.constantFrom<Stroke>('enter', 'tab', 'other'),
);
const rules: fc.Arbitrary<Rules> = fc
  .record({
    prefix: fc.constantFrom('', '%', ';;', 'ID:'),
    suffix: fc.constantFrom<Rules['suffix']>('enter', 'tab', 'none'),
    minLength: fc.integer({ min: 4, max: 12 }),
    maxGapMs: fc.integer({ min: 5, max: 500 }),
  })
  .map((some) => ({ ...RULES, ...some }));

const ENDS = { enter: ['enter'], tab: ['tab'], none: [] } as const;

test('no typing at human speed is ever swallowed', () => {
  const sequence = rules.chain((rules) =>
    fc.record({
      rules: fc.constant(rules),
      keys: fc.array(
        fc.record({ stroke: anyStroke, gapMs: fc.integer({ min: rules.maxGapMs + 1, max: 5000 }) }),
        { maxLength: 200 },
      ),
    }),
  );
  fc.assert(
    fc.property(sequence, ({ rules, keys }) => {
      const { verdicts, scans } = typeAll(rules, keys);
      expect(verdicts.every((verdict) => verdict === 'pass' || verdict === 'begin')).toBe(true);
      expect(scans).toEqual([]);
    }),
  );
});

test('nor are the keys of a fast typist that come in twos and threes', () => {
  const burst = fc.array(char, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      fc.array(burst, { maxLength: 40 }),
      fc.array(fc.integer({ min: 0, max: 50 })),
      (words, gaps) => {
        let nth = 0;
        const gap = (): number => gaps[(nth += 1) % Math.max(1, gaps.length)] ?? 20;
        const keys = words.flatMap((word) =>
          scan(word.join('')).map((key, at) => (at === 0 ? key : { ...key, gapMs: gap() })),
        );
        expect(typeAll(RULES, keys)).toMatchObject({ scans: [], passed: words.flat().join('') });
      },
    ),
  );
});

test('every scan at the speed of a reader is read whole, and nothing of it stays on the page', () => {
  const some = rules.chain((rules) =>
    fc.record({
      rules: fc.constant(rules),
      number: number(rules.minLength),
      gaps: fc.array(fc.integer({ min: 0, max: rules.maxGapMs }), { minLength: 160, maxLength: 160 }),
      before: fc.string({ unit: char, maxLength: 20 }),
    }),
  );
  fc.assert(
    fc.property(some, ({ rules, number, gaps, before }) => {
      const strokes = [...strokesOf(rules.prefix + number), ...ENDS[rules.suffix]];
      const typed = strokesOf(before).map((stroke) => ({ stroke, gapMs: rules.maxGapMs + 1 }));
      const read = strokes.map((stroke, at) => ({ stroke, gapMs: at === 0 ? 2000 : (gaps[at] ?? 0) }));
      expect(typeAll(rules, [...typed, ...read])).toMatchObject({ scans: [number], passed: before });
    }),
  );
});

test('what a reader types in a wrong order is one bad scan, and the next one is read', () => {
  const bad = fc.array(fc.record({ stroke: anyStroke, gapMs: fc.integer({ min: 0, max: 50 }) }), {
    maxLength: 400,
  });
  fc.assert(
    fc.property(bad, (noise) => {
      const reader = [...scan('123456'), ...noise];
      const { scans, passed } = typeAll(RULES, [...reader, ...scan('04A2B3C4\n')]);
      expect(passed).toBe('');
      expect(scans).toHaveLength(2);
      expect(scans[1]).toBe('04A2B3C4');
    }),
  );
});

test.each<[string, Partial<Rules>, string]>([
  ['is too short', {}, '12345\n'],
  ['has no end', {}, '12345678'],
  ['ends with another key', {}, '12345678\t'],
  ['ends twice', {}, '12345678\n\n'],
  ['goes on after its end, as two readers at once do', {}, '1122334455\n6\n'],
  ['has no prefix', { prefix: '%' }, '12345678\n'],
  ['is nothing but spaces', {}, '        \n'],
  ['has 10 KB', {}, `${'7'.repeat(10_240)}\n`],
  ['is one longer than the longest', {}, `${'7'.repeat(129)}\n`],
  ['ends although it should not', { suffix: 'none' }, '12345678\n'],
])('a scan that %s is no badge', (_, over, text) => {
  const { scans } = typeAll({ ...RULES, ...over }, scan(text));
  // What is too short for a reader was typed by a person.
  expect(scans).toEqual(text.length < 7 ? [] : [null]);
});

test('control characters spoil a scan', () => {
  const keys = scan('12345678\n').toSpliced(7, 0, { stroke: 'other', gapMs: 3 });
  expect(typeAll(RULES, keys)).toMatchObject({ scans: [null], passed: '' });
});

test('a long tail is kept nowhere', () => {
  const wedge = new Wedge(RULES);
  for (let at = 0; at < 100_000; at += 1) wedge.press({ char: '7' }, at);
  expect(wedge.end()).toBeNull();
});

/** A key press with these keys held. */
function pressOf(key: string, ...held: string[]): KeyPress {
  return {
    key,
    repeat: held.includes('repeat'),
    isComposing: held.includes('composing'),
    ctrlKey: held.includes('Control'),
    altKey: held.includes('Alt'),
    metaKey: held.includes('Meta'),
    getModifierState: (name) => held.includes(name),
  };
}

test.each<[KeyPress, Stroke | null]>([
  [pressOf('7'), { char: '7' }],
  [pressOf('Ä', 'Shift'), { char: 'Ä' }],
  [pressOf('@', 'Control', 'Alt', 'AltGraph'), { char: '@' }],
  [pressOf('🔑'), { char: '🔑' }],
  [pressOf('Enter'), 'enter'],
  [pressOf('Tab'), 'tab'],
  [pressOf('Shift'), null],
  [pressOf('AltGraph', 'Control', 'Alt'), null],
  [pressOf('v', 'Control'), 'other'],
  [pressOf('7', 'Alt'), 'other'],
  [pressOf('7', 'repeat'), 'other'],
  [pressOf('a', 'composing'), 'other'],
  [pressOf('Dead'), 'other'],
  [pressOf('Process'), 'other'],
  [pressOf('F8'), 'other'],
  [pressOf('\u0002'), 'other'],
  [pressOf('\ud800'), 'other'],
])('%o is to a reader %o', (press, stroke) => {
  expect(strokeOf(press)).toEqual(stroke);
});
