/** Where the pages are: the host serves them at each of these addresses, and they find themselves by them. */
export const PATHS = [
  '/',
  '/sessions',
  '/account',
  '/users',
  '/badges',
  '/plc',
  '/audit',
  '/emergency',
  '/bar',
] as const;
export type Path = (typeof PATHS)[number];
