/** The keyboard on the screen: when it is there, and which field it types into. */
import { shifted, type Layer } from './layouts.ts';
import { backspace, enter, insert, isOpenToText, isTextField, type TextField } from './typing.ts';

/** Off, for one character, or until it is taken back. */
export type Shift = 'off' | 'once' | 'locked';

const NEXT_SHIFT = { off: 'once', once: 'locked', locked: 'off' } as const satisfies Record<Shift, Shift>;

export class OnScreenKeyboard {
  isOpen = $state(false);
  layer = $state<Layer>('letters');
  shift = $state<Shift>('off');
  /** The field that had the focus last. */
  field = $state.raw<TextField | null>(null);
  /** Whether the page is used by touch: then it opens by itself. */
  #byTouch: boolean;
  #isTapping = false;

  /** `byTouch`: what the screen looks like before anybody has used it. */
  constructor(byTouch: boolean) {
    this.#byTouch = byTouch;
  }

  readonly notePointer = ({ pointerType, target }: PointerEvent): void => {
    this.#byTouch = pointerType !== 'mouse';
    this.#isTapping = true;
    if (this.#byTouch && isTextField(target) && this.#mayOpenAt(target)) suppressOwnKeyboard(target);
  };

  readonly noteCancel = (): void => {
    this.#isTapping = false;
  };

  /** Opens after the tap and not in it: what moves under a finger would be tapped in its place. */
  readonly noteClick = ({ target }: MouseEvent): void => {
    this.#isTapping = false;
    if (isTextField(target)) this.#openAt(target);
  };

  readonly noteFocus = ({ target }: FocusEvent): void => {
    if (isTextField(target)) {
      this.field = target;
      if (!this.#isTapping) this.#openAt(target);
    } else if (this.field?.isConnected === false) {
      this.close();
    }
  };

  /** Opens it for `field`, or closes it. */
  toggle(field: TextField): void {
    field.focus();
    if (this.isOpen) this.close();
    else this.#open(field);
  }

  close(): void {
    this.isOpen = false;
    this.layer = 'letters';
    this.shift = 'off';
  }

  pressShift(): void {
    this.shift = NEXT_SHIFT[this.shift];
  }

  pressLayer(): void {
    this.layer = this.layer === 'letters' ? 'symbols' : 'letters';
  }

  /** The character on a key as it is now. */
  faceOf(character: string): string {
    return this.shift === 'off' || this.layer === 'symbols' ? character : shifted(character);
  }

  type(character: string): void {
    const face = this.faceOf(character);
    if (this.shift === 'once') this.shift = 'off';
    if (this.field !== null) insert(this.field, face);
  }

  backspace(): void {
    if (this.field !== null) backspace(this.field);
  }

  enter(): void {
    if (this.field !== null) enter(this.field);
  }

  #openAt(field: TextField): void {
    if (this.#byTouch && this.#mayOpenAt(field)) this.#open(field);
  }

  #open(field: TextField): void {
    this.field = field;
    suppressOwnKeyboard(field);
    this.isOpen = true;
  }

  /** A phone has its own, and a field may have keys of its own beside it, or take no text. */
  #mayOpenAt(field: TextField): boolean {
    const isWanted = isOpenToText(field) && field.dataset['keys'] !== 'own';
    return isWanted && matchMedia('(min-width: 760px)').matches;
  }
}

/** Tells the system that the field has a keyboard already. */
function suppressOwnKeyboard(field: TextField): void {
  field.inputMode = 'none';
}
