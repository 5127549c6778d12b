/** What is used of nodes7 0.3.18, which comes without types; the members that `opening.ts` overrides are internal to nodes7. */
declare module 'nodes7' {
  import type { Socket } from 'node:net';

  export interface ConnectionParameters {
    readonly host: string;
    readonly port: number;
    readonly rack: number;
    readonly slot: number;
    /** Milliseconds until nodes7 gives up a step of its own accord. */
    readonly timeout: number;
    readonly noDelay: boolean;
    /** Ask for each item by itself. */
    readonly doNotOptimize?: boolean;
  }

  export default class NodeS7 {
    constructor(options: { readonly silent: boolean });

    isoclient: Socket | undefined;
    connectTimeout: NodeJS.Timeout | undefined;
    PDUTimeout: NodeJS.Timeout | undefined;

    /** The size of PDU it asks for when it connects; 960 by default. */
    requestMaxPDU: number;

    /** Calls back once: without an argument when the PDU is negotiated, with what went wrong otherwise, or never. */
    initiateConnection(parameters: ConnectionParameters, callback?: (error?: unknown) => void): void;
    /** Takes effect at the next `readAllItems`; without names all are removed. */
    removeItems(): void;
    addItems(names: string[]): void;
    /** Values by name; the text `BAD 255` where an item could not be read. */
    readAllItems(callback: (anyBad: boolean, values: Readonly<Record<string, unknown>>) => void): void;
    /** 1: a write is under way, this one is dropped and never calls back. */
    writeItems(name: string, value: number | boolean, callback: (anyBad: boolean) => void): 0 | 1;
    /** Destroys the socket, removes its listeners and stops the timers of packets. */
    connectionCleanup(): void;

    onTCPConnect(): void;
    onISOConnectReply(data: Buffer): void;
    onPDUReply(data: Buffer): void;
    connectError(error: unknown): void;
    readWriteError(error: unknown): void;
    connectionReset(): void;
    packetTimeout(kind: string, sequence?: number): void;
    onClientDisconnect(): void;
    onClientClose(): void;
  }
}
