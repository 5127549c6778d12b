/** Updates on this machine: what the product was built with, how it was installed, and how it is started anew. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { app } from 'electron';
import { freeBytesOf } from '../../server/audit/capacity.ts';
import { resolveDataFolder } from '../../server/cli/data-folder.ts';
import type { Config } from '../../server/config/schema.ts';
import { PRODUCT_ROOT, VERSION } from '../../server/product.ts';
import type { CommandLine } from '../command-line.ts';
import { startAfterEnd, type Program } from '../program.ts';
import { findInstaller, type Machine } from './installer.ts';
import { createSource } from './source.ts';
import { NO_UPDATES, startUpdates, type Updates, type UpdatesNeeds } from './updates.ts';

/** Put there before the product is built (docs/updating.md); without it no update is believed. */
const KEY_FILE = join(PRODUCT_ROOT, 'resources', 'update-key.pem');

export function setupUpdates(
  needs: Pick<UpdatesNeeds, 'host' | 'station' | 'clock' | 'random' | 'log'>,
  { desktop, audit }: Pick<Config, 'desktop' | 'audit'>,
  commandLine: CommandLine,
): Updates {
  const { updateSource: from } = desktop;
  if (from === '') return NO_UPDATES;
  const { clock, log } = needs;
  const key = readKey();
  const installer = findInstaller(describeMachine(commandLine));
  if (key === null) log.warn({ file: KEY_FILE }, 'this build has no key for updates, and refuses them all');
  if (installer === null) log.warn({}, 'this kind of installation is updated by hand');
  if (key === null || installer === null) return NO_UPDATES;
  const { dataFolder } = commandLine;
  return startUpdates(
    {
      ...needs,
      ...{ key, installer, version: VERSION },
      source: createSource(from, { clock, caFile: join(dataFolder, 'updates-ca.crt') }),
      folder: join(dataFolder, 'updates'),
      freeBytes: freeBytesOf(dataFolder),
      keepFreeBytes: audit.warnFreeMiB * 2 ** 20,
      leave() {
        if (installer.restart !== null) startAfterEnd(installer.restart);
        app.quit();
      },
    },
    desktop,
  );
}

function readKey(): KeyObject | null {
  if (!existsSync(KEY_FILE)) return null;
  const key = createPublicKey(readFileSync(KEY_FILE));
  return key.asymmetricKeyType === 'ed25519' ? key : null;
}

function describeMachine({ dataFolder, flags }: CommandLine): Machine {
  const { platform, arch, env, execPath } = process;
  const resources = app.isPackaged ? process.resourcesPath : null;
  const typeFile = resources === null ? null : join(resources, 'package-type');
  return {
    ...{ platform, arch, env, execPath, resources, run },
    packageType: typeFile !== null && existsSync(typeFile) ? readFileSync(typeFile, 'utf8').trim() : null,
    args: process.argv.slice(1),
    isPlainStart:
      Object.keys(flags).length === 0 && resolve(dataFolder) === resolve(resolveDataFolder(undefined)),
  };
}

async function run({ path, args }: Program): Promise<number | null> {
  const child = spawn(path, args, { stdio: 'ignore', windowsHide: true });
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  return exitCode;
}
