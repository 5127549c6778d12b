/** Users as the host tells of them, for the tests of this page. */
import type { UserListItemView } from '../../server/http/contract.ts';

export function createUser(name: string, over: Partial<UserListItemView> = {}): UserListItemView {
  return {
    id: `id of ${name}`,
    name,
    displayName: name,
    type: 'Active',
    enabled: true,
    logoutTimeInMin: null,
    emergency: false,
    password: 'set',
    passwordExpiresAt: null,
    lock: null,
    lastSignInAt: null,
    ...over,
  };
}
