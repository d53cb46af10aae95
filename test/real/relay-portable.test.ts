// The portable engine keeps the contract of engines.
import { createPortableEngine } from '../../src/relay/index.ts';
import { engineContract } from '../contract/engine.ts';

engineContract('portable', createPortableEngine);
