/** The database in the data folder. */
export const STORE_FILE = 'keyswitch.db';
