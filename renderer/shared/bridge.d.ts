/** What the desktop window's preload script offers; a browser has none. */
interface Window {
  readonly keyswitch: { readonly stationAppId: string } | undefined;
}
