/** The emergency sessions that live now, as far as this page is told: by `/ws`, signed in or at an app. */
import type { EmergencyView } from '../../server/http/contract.ts';

export class Alarm {
  emergencies = $state.raw<readonly EmergencyView[]>([]);
}
