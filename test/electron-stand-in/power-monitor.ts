/** `powerMonitor`: a test says what the operating system tells, and how long nobody has touched the computer. */
import type { PowerMonitor } from 'electron';
import { modelled, ModelledEmitter } from './modelled.ts';

class StandInPowerMonitor
  extends ModelledEmitter
  implements Pick<PowerMonitor, 'getSystemIdleTime' | 'getSystemIdleState' | 'isOnBatteryPower'>
{
  constructor() {
    super('powerMonitor', [
      'lock-screen',
      'on-ac',
      'on-battery',
      'resume',
      'shutdown',
      'suspend',
      'unlock-screen',
      'user-did-become-active',
      'user-did-resign-active',
    ]);
  }

  getSystemIdleTime(): number {
    return idle.sec;
  }

  getSystemIdleState(thresholdSec: number): ReturnType<PowerMonitor['getSystemIdleState']> {
    if (idle.isLocked) return 'locked';
    return idle.sec >= thresholdSec ? 'idle' : 'active';
  }

  isOnBatteryPower(): boolean {
    return false;
  }
}

/** What a test sets. */
export const idle = { sec: 0, isLocked: false };

export const powerMonitor = modelled('powerMonitor', new StandInPowerMonitor());
