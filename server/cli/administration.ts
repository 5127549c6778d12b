/** What the commands can ask for, whether the host runs or not. */
import type { AppView, LinkView, NewLinkInput, NewUserInput, UserView } from '../http/contract.ts';
import type { FirstRun } from '../first-run.ts';

export interface Administration {
  firstRun(sample: boolean): Promise<FirstRun>;
  addUser(input: NewUserInput): Promise<UserView>;
  listUsers(): Promise<readonly UserView[]>;
  addApp(input: { name: string; logoutTimeInMin?: number }): Promise<{ id: string; key: string }>;
  listApps(): Promise<readonly AppView[]>;
  grant(appId: string, userName: string, data: string): Promise<void>;
  addLink(input: NewLinkInput): Promise<LinkView>;
  listLinks(): Promise<readonly LinkView[]>;
}
