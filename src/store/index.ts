// Door of store/: the state directory, SQLite files in it, and Consul.
export { type ConsulPlace, consulPlace, isConsulUrl } from './consul/address.ts';
export { type Consul, type ConsulSettings, connectConsul } from './consul/client.ts';
export { type Database, openDatabase, type Value } from './database.ts';
export { currentOwner, defaultStateFolder, openStateFolder, type StateOwner, stateFolder } from './folder.ts';
export { openRings, type Rings, type Sample, type Tier } from './rings.ts';
