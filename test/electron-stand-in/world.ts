/** What a preload script finds as `electron`; this function runs in the page itself, so it sees nothing of this file. */
import type { ContextBridge, IpcRenderer } from 'electron';

/** How a page reaches the main process: answered by `page.ts`. */
export interface Wire {
  /** Where a call that waits is sent to. */
  readonly path: string;
  /** The same for a page that is on no origin. */
  readonly url: string;
  /** The name of the binding for a call that does not wait. */
  readonly binding: string;
  /** Where the page takes what the main process sends. */
  readonly inbox: string;
}

declare const location: { readonly protocol: string };
declare const XMLHttpRequest: new () => {
  open(method: string, url: string, isAsync: boolean): void;
  send(body: string): void;
  readonly responseText: string;
};

type Call = (channel: string, given: unknown[]) => Promise<{ value?: unknown; error?: string }>;
type Listener = (event: object, ...given: unknown[]) => void;

export function makeWorld({ path, url, binding, inbox }: Wire): object {
  const call = Reflect.get(globalThis, binding) as Call;
  const listeners = new Map<string, Listener[]>();
  const deepFreeze = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    Object.values(value).forEach(deepFreeze);
    return Object.freeze(value);
  };
  const refuseOthers = <Part extends object>(name: string, part: Part): Part =>
    new Proxy(part, {
      get(inner, member) {
        if (member in inner) return Reflect.get(inner, member) as unknown;
        throw new Error(`electron stand-in: ${name}.${String(member)} is not modelled`);
      },
    });

  Reflect.deleteProperty(globalThis, binding);
  Reflect.set(globalThis, Symbol.for(inbox), (channel: string, given: unknown[]) => {
    for (const listener of listeners.get(channel) ?? []) listener({}, ...given);
  });

  const contextBridge = {
    exposeInMainWorld(name, value) {
      Object.defineProperty(globalThis, name, { value: deepFreeze(value), enumerable: true });
    },
  } satisfies Pick<ContextBridge, 'exposeInMainWorld'>;
  const ipcRenderer = {
    sendSync(channel, ...given): unknown {
      const request = new XMLHttpRequest();
      request.open('POST', location.protocol === 'data:' ? url : path, false);
      request.send(JSON.stringify({ channel, given }));
      return (JSON.parse(request.responseText) as { value: unknown }).value;
    },
    async invoke(channel, ...given): Promise<unknown> {
      const { value, error } = await call(channel, given);
      if (error !== undefined) throw new Error(error);
      return value;
    },
    on(channel: string, listener: Listener) {
      listeners.set(channel, [...(listeners.get(channel) ?? []), listener]);
      return ipcRenderer as unknown as IpcRenderer;
    },
  } satisfies Pick<IpcRenderer, 'sendSync' | 'invoke'> & { on: unknown };
  return refuseOthers("the preload script's electron", {
    contextBridge: refuseOthers('contextBridge', contextBridge),
    ipcRenderer: refuseOthers('ipcRenderer', ipcRenderer),
  });
}
