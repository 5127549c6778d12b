/** The scenarios of `test/electron/scenarios/presence.ts`, on the built desktop in the stand-in. */
import { describePresence } from '../electron/scenarios/presence.ts';
import { inStandIn } from '../electron-stand-in/desktop.ts';

describePresence(inStandIn);
