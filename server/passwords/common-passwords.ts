/** The shipped list of common passwords, read from the product's own files. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PRODUCT_ROOT } from '../product.ts';
import { listOf, type Words } from './blocklist.ts';

const FILE = join(PRODUCT_ROOT, 'resources', 'passwords', 'common.txt');

/** Reads the list. Its head says where it comes from and ends with a blank line. */
export function readCommonPasswords(): Words {
  const text = readFileSync(FILE, 'utf8').replaceAll('\r\n', '\n');
  return listOf(
    text
      .slice(text.indexOf('\n\n') + 2)
      .trimEnd()
      .split('\n'),
  );
}
