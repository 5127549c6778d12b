/** What the package `@keyswitch/client` offers. */
export { createClient, type Client, type ClientOptions, type News, type SignInInput } from './client.ts';
export { CLOSE } from './close-codes.ts';
export type { FollowedApp } from './followed-app.ts';
export type {
  AppOverview,
  AppState,
  Emergency,
  LinkStatus,
  Session,
  SessionListItem,
  WatchMessages,
} from './messages.ts';
export type { Clock, Socket, SocketClass, SocketOptions } from './ports.ts';
export { KeyswitchProblem, type Fault } from './problem.ts';
export type { ConnectionStatus } from './subscriptions.ts';
