/** What the window's preload script may ask of the desktop: channel -> signature; types only. */
export interface Contract {
  /** The AppId of this station, so that the page signs its user in at it. */
  'station-app-id': () => string;
}

export type Channel = keyof Contract;
