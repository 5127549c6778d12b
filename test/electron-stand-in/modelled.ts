/** What keeps the stand-in honest: whatever it does not model throws, by name, instead of doing nothing. */
import { EventEmitter } from 'node:events';

export function notModelled(name: string): Error {
  return new Error(`electron stand-in: ${name} is not modelled`);
}

/** Looks like `target`, and throws where a member is read or set that it does not have. */
export function modelled<Target extends object>(name: string, target: Target): Target {
  return new Proxy(target, {
    get(inner, member) {
      const value: unknown = Reflect.get(inner, member, inner);
      // Bound, for a proxy cannot see private members.
      if (typeof value === 'function') return value.bind(inner) as unknown;
      // Promises and the inspector ask any object for these.
      if (member in inner || typeof member === 'symbol' || member === 'then' || member === 'toJSON')
        return value;
      throw notModelled(`${name}.${member}`);
    },
    set(inner, member, value) {
      if (!(member in inner)) throw notModelled(`${name}.${String(member)}`);
      return Reflect.set(inner, member, value, inner);
    },
  });
}

/** An emitter that knows its events: listening to any other one throws. */
export class ModelledEmitter extends EventEmitter {
  readonly #name: string;
  readonly #events: readonly string[];

  constructor(name: string, events: readonly string[]) {
    super();
    this.#name = name;
    this.#events = events;
  }

  override on(event: string, listener: Parameters<EventEmitter['on']>[1]): this {
    if (!this.#events.includes(event)) throw notModelled(`${this.#name}.on('${event}')`);
    return super.on(event, listener);
  }
}

export interface Preventable {
  defaultPrevented: boolean;
  preventDefault(): void;
}

/** Makes an event that a listener may prevent. */
export function preventable<Fields extends object>(fields: Fields): Fields & Preventable {
  const event = {
    ...fields,
    defaultPrevented: false,
    preventDefault: () => {
      event.defaultPrevented = true;
    },
  };
  return event;
}
