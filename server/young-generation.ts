/** V8's young generation, kept as small as it starts: what a host makes lives for a request, and 64 MiB wait for no more of it. */
import { setFlagsFromString } from 'node:v8';

/** Called before the house is opened: the generation grows, and never shrinks again (docs/decisions/023). */
export function keepYoungGenerationSmall(): void {
  // The sizes themselves are read when a process starts.
  setFlagsFromString('--semi-space-growth-factor=1');
}
