/** nodes7 and nothing else: what our way to a PLC is held against. */
import NodeS7 from 'nodes7';

export interface S7 extends Disposable {
  write(name: string, value: number): Promise<void>;
  /** Reads these, whatever was read before. */
  read(names: string[]): Promise<Readonly<Record<string, unknown>>>;
  /** Reads what the last `read` was of. */
  readAgain(): Promise<void>;
}

export interface S7Options {
  /** It may read neighbours together, as it does where nothing else is said. */
  readonly optimize?: boolean;
  readonly pduBytes?: number;
}

export async function openS7(port: number, { optimize = false, pduBytes }: S7Options = {}): Promise<S7> {
  const client = new NodeS7({ silent: true });
  if (pduBytes !== undefined) client.requestMaxPDU = pduBytes;
  const parameters = {
    host: '127.0.0.1',
    port,
    rack: 0,
    slot: 2,
    timeout: 5000,
    noDelay: true,
    doNotOptimize: !optimize,
  };
  await new Promise<void>((resolve, reject) => {
    client.initiateConnection(parameters, (error) => (error === undefined ? resolve() : reject(error)));
  });
  return {
    write: (name, value) =>
      new Promise((resolve, reject) => {
        client.writeItems(name, value, (bad) => (bad ? reject(new Error(`${name} was refused`)) : resolve()));
      }),
    read(names) {
      client.removeItems();
      client.addItems(names);
      return new Promise((resolve) => client.readAllItems((_anyBad, values) => resolve(values)));
    },
    readAgain: () =>
      new Promise((resolve, reject) => {
        client.readAllItems((anyBad) => (anyBad ? reject(new Error('a read was refused')) : resolve()));
      }),
    [Symbol.dispose]: () => client.connectionCleanup(),
  };
}
