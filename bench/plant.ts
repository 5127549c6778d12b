/** An administrator of a host, and the PLCs that the benches link to it. */
import type { NewLinkInput } from '../server/http/contract.ts';
import { openConnection, requestTo, type Endpoint } from './client.ts';
import { sessionRequest, USER } from './host.ts';

export interface Administrator {
  readonly headers: Readonly<Record<string, string>>;
  /** Asks for something that administrators may; rejects where it is refused. */
  ask<Answer>(path: string, body?: unknown, method?: string): Promise<Answer>;
}

export async function openAdministrator(host: Endpoint, name: string): Promise<Administrator> {
  const { headers } = await sessionRequest(host, name);
  return {
    headers,
    async ask<Answer>(path: string, body?: unknown, method?: string): Promise<Answer> {
      const connection = await openConnection(host, { anyStatus: true });
      const answer = await connection.exchange(
        requestTo(host, path, {
          headers,
          ...(body !== undefined && { body }),
          ...(method !== undefined && { method }),
        }),
      );
      connection.close();
      if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.body}`);
      return (answer.body === '' ? undefined : JSON.parse(answer.body)) as Answer;
    },
  };
}

/** Links the PLC at `port` to an app of its own, which the user of the benches may use. */
export async function linkPlc(
  { ask }: Administrator,
  index: number,
  port: number,
): Promise<{ appId: string; linkId: string }> {
  const { id: appId } = await ask<{ id: string }>('/api/v1/apps', { name: `HMI ${index}` });
  await ask(`/api/v1/apps/${appId}/users/${USER}`, { data: '5' }, 'PUT');
  const link: NewLinkInput = {
    connection: `Data Source=127.0.0.1:${port},0,2`,
    area: 'DB250',
    // Of its own, for one server stands for many PLCs.
    address: `W${2 * index}`,
    appId,
  };
  const { id: linkId } = await ask<{ id: string }>('/api/v1/links', link);
  return { appId, linkId };
}
