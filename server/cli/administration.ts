/** What the commands can ask for, whether the host runs or not. */
import type {
  AppChangeInput,
  AppView,
  BackupStatusView,
  BackupView,
  BadgeView,
  EmergencyAccountView,
  LinkTestView,
  LinkView,
  NewAppInput,
  NewBadgeInput,
  NewLinkInput,
  NewUserAnswerView,
  NewUserInput,
  OneTimeSecretView,
  SealedView,
  UserListItemView,
} from '../http/contract.ts';
import type { FirstRun, FirstRunOptions } from '../first-run.ts';

export interface Administration {
  firstRun(options: Pick<FirstRunOptions, 'sample' | 'preset'>): Promise<FirstRun>;
  addUser(input: NewUserInput): Promise<NewUserAnswerView>;
  listUsers(): Promise<readonly UserListItemView[]>;
  resetPassword(userName: string): Promise<OneTimeSecretView>;
  unlock(userName: string): Promise<void>;
  addEmergency(input: { name: string }): Promise<SealedView>;
  sealEmergency(userName: string): Promise<SealedView>;
  listEmergencies(): Promise<readonly EmergencyAccountView[]>;
  addBadge(input: NewBadgeInput): Promise<BadgeView>;
  listBadges(): Promise<readonly BadgeView[]>;
  revokeBadge(id: string): Promise<void>;
  addApp(input: NewAppInput): Promise<{ id: string; key: string }>;
  changeApp(id: string, input: AppChangeInput): Promise<AppView>;
  listApps(): Promise<readonly AppView[]>;
  grant(appId: string, userName: string, data: string): Promise<void>;
  addLink(input: NewLinkInput): Promise<LinkView>;
  changeLink(id: string, input: NewLinkInput): Promise<LinkView>;
  removeLink(id: string): Promise<void>;
  testLink(input: NewLinkInput): Promise<LinkTestView>;
  listLinks(): Promise<readonly LinkView[]>;
  archiveAudit(): Promise<{ rows: number }>;
  makeBackup(): Promise<BackupView>;
  backupStatus(): Promise<BackupStatusView>;
}
