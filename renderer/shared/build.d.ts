/** The version that this page is built for (vite.config.ts). */
declare const KEYSWITCH_VERSION: string;
