/** iAuth's Authentication structure, as its clients read it. */
import type { Session } from '../../sessions/session.ts';

export type IAuthAuthentication =
  | { readonly Authenticated: false }
  | {
      readonly Authenticated: true;
      readonly User: string;
      readonly Role: string;
      /** Only for whoever signed in or proved the app's key; iAuth itself told it to everyone. */
      readonly Token: string | null;
      /** ISO 8601, UTC: the absolute limit. */
      readonly TokenExpires: string;
    };

export const NOBODY: IAuthAuthentication = { Authenticated: false };

export function toAuthentication(session: Session | null, token: string | null): IAuthAuthentication {
  if (session === null) return NOBODY;
  return {
    Authenticated: true,
    User: session.user.name,
    Role: session.role,
    Token: token,
    TokenExpires: new Date(session.expiresAt).toISOString(),
  };
}
