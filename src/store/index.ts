// Door of store/: the state directory, SQLite files in it, and Consul.
export { consulPlace, isConsulUrl } from './consul/address.ts';
export { type Consul, type ConsulSettings, connectConsul } from './consul/client.ts';
export { type Database, openDatabase, type Value } from './database.ts';
export { currentOwner, defaultStateFolder, openStateFolder, stateFolder } from './folder.ts';
export { openRings, type Rings, type Sample, type Tier } from './rings.ts';
