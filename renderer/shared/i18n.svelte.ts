/** The pages' words, numbers and times in the language of this station. */
import de from '../../resources/locales/de.json';
import en from '../../resources/locales/en.json';
import type { Memory } from './ports.ts';

export type MessageKey = keyof typeof en;
type Catalogue = Record<MessageKey, string>;

/** Tells whether there is a message for `key`. */
export function isMessageKey(key: string): key is MessageKey {
  return Object.hasOwn(en, key);
}

const CATALOGUES = { en, de } satisfies Record<string, Catalogue>;
export type Language = keyof typeof CATALOGUES;
export const LANGUAGES: Record<Language, string> = { en: 'English', de: 'Deutsch' };

const KEY = 'keyswitch.language';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export class I18n {
  #language = $state<Language>('en');
  readonly #memory: Memory;
  readonly #browserLanguage: string;
  readonly #formats = $derived.by(() => this.#createFormats());

  constructor(memory: Memory, browserLanguage: string) {
    this.#memory = memory;
    this.#browserLanguage = browserLanguage;
    const wanted = memory.getItem(KEY) ?? browserLanguage.slice(0, 2);
    if (wanted in CATALOGUES) this.#language = wanted as Language;
  }

  get language(): Language {
    return this.#language;
  }

  set language(language: Language) {
    this.#memory.setItem(KEY, language);
    this.#language = language;
  }

  /** The message with its `{placeholders}` filled in. */
  readonly t = (key: MessageKey, values: Record<string, string | number> = {}): string =>
    CATALOGUES[this.#language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));

  number(value: number): string {
    return this.#formats.number.format(value);
  }

  milliseconds(value: number): string {
    return this.#formats.milliseconds.format(value);
  }

  /** `12 seconds`, with the plural of the language. */
  seconds(value: number): string {
    return this.#formats.seconds.format(value);
  }

  /** `14:02`. */
  time(ms: number): string {
    return this.#formats.time.format(ms);
  }

  /** `Tuesday, 24 November 2026`. */
  longDate(ms: number): string {
    return this.#formats.longDate.format(ms);
  }

  /** `14:02:11`. */
  timeWithSeconds(ms: number): string {
    return this.#formats.timeWithSeconds.format(ms);
  }

  /** `14:02`, with the date in front unless it is that of `now`. */
  instant(ms: number, now: number): string {
    const { day, time, dateAndTime } = this.#formats;
    return (day.format(ms) === day.format(now) ? time : dateAndTime).format(ms);
  }

  /** `24 Nov 2026, 14:02`. */
  dateAndTime(ms: number): string {
    return this.#formats.fullDateAndTime.format(ms);
  }

  /** `24 Nov 2026, 14:02:11`. */
  dateAndSeconds(ms: number): string {
    return this.#formats.dateAndSeconds.format(ms);
  }

  /** `12,345,678`. */
  count(value: number): string {
    return this.#formats.count.format(value);
  }

  /** `Name, Type, Limit`. */
  list(items: readonly string[]): string {
    return this.#formats.list.format(items);
  }

  /** `41 minutes ago`, in whole units. */
  ago(elapsedMs: number): string {
    const { ago } = this.#formats;
    if (elapsedMs < MINUTE_MS) return ago.format(-Math.round(elapsedMs / 1000), 'second');
    if (elapsedMs < HOUR_MS) return ago.format(-Math.floor(elapsedMs / MINUTE_MS), 'minute');
    if (elapsedMs < DAY_MS) return ago.format(-Math.floor(elapsedMs / HOUR_MS), 'hour');
    return ago.format(-Math.floor(elapsedMs / DAY_MS), 'day');
  }

  /** `2 hr 5 min`; seconds only when less than two minutes are left. */
  left(ms: number): string {
    if (ms < 2 * MINUTE_MS) return countdown(ms);
    const { hours, minutes } = this.#formats;
    // A minute that has begun counts, as it does in the tray.
    const left = Math.ceil(ms / MINUTE_MS);
    const restMinutes = minutes.format(left % 60);
    return left < 60 ? restMinutes : `${hours.format(Math.floor(left / 60))} ${restMinutes}`;
  }

  #createFormats() {
    // The region comes from the browser; a plant's day has 24 hours in every one.
    const regional = this.#browserLanguage.startsWith(this.#language);
    const locale = regional ? this.#browserLanguage : this.#language;
    const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    const date = { day: 'numeric', month: 'short', year: 'numeric' } as const;
    const unit = (name: string, unitDisplay: 'short' | 'long') =>
      new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay, maximumFractionDigits: 1 });
    return {
      number: new Intl.NumberFormat(locale, { useGrouping: false }),
      milliseconds: unit('millisecond', 'short'),
      seconds: unit('second', 'long'),
      minutes: unit('minute', 'short'),
      hours: unit('hour', 'short'),
      day: new Intl.DateTimeFormat(locale),
      time: new Intl.DateTimeFormat(locale, time),
      longDate: new Intl.DateTimeFormat(locale, { dateStyle: 'full' }),
      timeWithSeconds: new Intl.DateTimeFormat(locale, { ...time, second: '2-digit' }),
      dateAndTime: new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', ...time }),
      fullDateAndTime: new Intl.DateTimeFormat(locale, { ...date, ...time }),
      dateAndSeconds: new Intl.DateTimeFormat(locale, { ...date, ...time, second: '2-digit' }),
      count: new Intl.NumberFormat(locale),
      list: new Intl.ListFormat(locale, { type: 'unit' }),
      ago: new Intl.RelativeTimeFormat(locale),
    };
  }
}

/** `9:41`, or `11:59:03` from one hour on; never more than is left. */
export function countdown(ms: number): string {
  const total = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor(total / 60) % 60;
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(total % 60)}`;
}
