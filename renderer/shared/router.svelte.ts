/** Which page is shown: the address says it, and work that is not saved is not left without asking. */
import { PATHS, type Path } from '../../server/http/page-paths.ts';
import type { Address } from './ports.ts';

export class Router {
  path = $state<Path>('/');
  /** What is done once somebody agrees to lose the work. */
  #waiting = $state.raw<(() => void) | null>(null);
  readonly #address: Address;
  #work: readonly (() => boolean)[] = [];

  constructor(address: Address) {
    this.#address = address;
    this.path = pathOf(address.path());
    address.onBack(() => this.#goBack());
  }

  /** Whether leaving the page would lose something. */
  get hasWork(): boolean {
    return this.#work.some((hasWork) => hasWork());
  }

  /** Whether somebody has to say if the work may be lost. */
  get asks(): boolean {
    return this.#waiting !== null;
  }

  /** Registers a page's work, asked for when the page is left; what it returns takes it back: `$effect(() => router.keep(...))`. */
  keep(hasWork: () => boolean): () => void {
    this.#work = [...this.#work, hasWork];
    return () => {
      this.#work = this.#work.filter((other) => other !== hasWork);
    };
  }

  go(path: Path): void {
    if (path !== this.path) this.attempt(() => this.#show(path));
  }

  /** Does what leaves the page: at once, or where there is work, when somebody has agreed. */
  attempt(action: () => void): void {
    if (this.hasWork) this.#waiting = action;
    else action();
  }

  /** Loses the work and does what waits. */
  leave(): void {
    const action = this.#waiting;
    this.#waiting = null;
    action?.();
  }

  stay(): void {
    this.#waiting = null;
  }

  /** Begins anew, as for somebody else: nothing leads back to the page before. */
  reset(): void {
    this.#waiting = null;
    this.path = '/';
    this.#address.replace('/');
  }

  #show(path: Path): void {
    this.path = path;
    this.#address.push(path);
  }

  /** The address has changed already: it is put back while there is work. */
  #goBack(): void {
    const path = pathOf(this.#address.path());
    if (path === this.path) return;
    if (!this.hasWork) {
      this.path = path;
      return;
    }
    this.#address.push(this.path);
    this.go(path);
  }
}

/** The page at an address; home where there is none. */
function pathOf(address: string): Path {
  const wanted = address.toLowerCase().replace(/\/+$/, '');
  return PATHS.find((path) => path === wanted) ?? '/';
}
