/** Whether the host serves other pages than this one by now, and the moment to load them: never over somebody's work. */
import { Problem } from './api.ts';
import type { Door } from './door.svelte.ts';
import type { Ports } from './ports.ts';
import type { Router } from './router.svelte.ts';

/** What this tab was loaded anew for: if that has not helped, trying again would not either. */
const TRIED_KEY = 'keyswitch.loaded-anew-for';

export interface PageVersionNeeds {
  readonly door: Pick<Door, 'welcome' | 'change' | 'unsealed' | 'welcomeAgain'>;
  readonly ports: Pick<Ports, 'address' | 'tabMemory'>;
  readonly router: Pick<Router, 'hasWork'>;
  /** Whether somebody is in the middle of typing. */
  readonly isTyping: () => boolean;
}

export class PageVersion {
  /** What to load the page anew for; null where it is the one that the host serves, or where that was tried. */
  readonly #aim = $derived.by(() => this.#findAim());
  readonly #needs: PageVersionNeeds;
  readonly #built: string;
  readonly #tried: string | null;
  #partMissing = $state(false);
  #isLoading = false;

  /** `built` is the version that the page was built for. */
  constructor(needs: PageVersionNeeds, built: string) {
    this.#needs = needs;
    this.#built = built;
    this.#tried = needs.ports.tabMemory.getItem(TRIED_KEY);
  }

  /** The page is an old one, and waits for its moment. */
  get outdated(): boolean {
    return this.#aim !== null;
  }

  /** Loads the page anew, if that is to be done and takes nothing from anybody. */
  check(): void {
    const { address, tabMemory } = this.#needs.ports;
    if (this.#aim === null || this.#isLoading || this.#isBusy()) return;
    this.#isLoading = true;
    tabMemory.setItem(TRIED_KEY, this.#aim);
    address.reload();
  }

  /** Asks the host which version it is. */
  async ask(): Promise<void> {
    try {
      await this.#needs.door.welcomeAgain();
    } catch (error) {
      // That the host does not answer is told elsewhere; it is asked when it is back.
      if (!(error instanceof Problem)) throw error;
    }
  }

  /**
   * Loads a part of the page. One that a host which answers does not have belongs to a version that is gone:
   * the page is loaded anew, and until then nothing comes.
   */
  async load<Part>(load: () => Promise<Part>): Promise<Part> {
    try {
      return await load();
    } catch (error) {
      if (!(await this.#isGone())) throw error;
      return new Promise(() => {});
    }
  }

  async #isGone(): Promise<boolean> {
    try {
      await this.#needs.door.welcomeAgain();
    } catch {
      return false;
    }
    this.#partMissing = true;
    this.check();
    return this.#aim !== null;
  }

  #findAim(): string | null {
    const version = this.#needs.door.welcome?.version;
    if (version === undefined || (version === this.#built && !this.#partMissing)) return null;
    return version === this.#tried ? null : version;
  }

  #isBusy(): boolean {
    const { door, router, isTyping } = this.#needs;
    return router.hasWork || door.change !== null || door.unsealed !== null || isTyping();
  }
}
