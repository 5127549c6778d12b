/** An app for Electron that does nothing: a bench opens its window from outside. */
export {};
