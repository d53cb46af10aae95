// Door of store/: the state directory, and SQLite files in it.
export { type Database, openDatabase, type Value } from './database.ts';
export { currentOwner, defaultStateFolder, openStateFolder, type StateOwner, stateFolder } from './folder.ts';
