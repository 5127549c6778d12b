/** The scenarios of `test/electron/scenarios/ipc.ts`, on the built desktop in the stand-in. */
import { describeIpc } from '../electron/scenarios/ipc.ts';
import { inStandIn } from '../electron-stand-in/desktop.ts';

describeIpc(inStandIn);
