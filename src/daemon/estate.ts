// Listening sockets from one daemon to the next: given with their names, and claimed by the next configuration.
import { ReeveError } from '../core/errors.ts';
import { type BindTools, inheritDatagrams, inheritListener } from '../listen/index.ts';
import { type Held, hold } from './bindings.ts';
import type { GivenSocket, Inheritance } from './succession/index.ts';

/** What the daemon before listens on. */
export function inheritAll(inheritance: Inheritance, context: BindTools['context']): Held[] {
  return inheritance.estate.sockets.map(({ key, listener, asked, address, port, backlog, verified }, i) => {
    // Its family is the one that it was opened with: another would have another key.
    const options = { name: listener, endpoint: asked, v6only: false, backlog };
    const from = { fd: inheritance.descriptor(i), address, port, verified };
    const inherit = asked.protocol === 'udp' ? inheritDatagrams : inheritListener;
    return hold({ key, listener, endpoint: asked, backlog }, inherit(options, from, context));
  });
}

/** For another daemon: the sockets, and the descriptor of each. @throws ReeveError where the system has none. */
export function giveAll(held: Held[]): { sockets: GivenSocket[]; descriptors: number[] } {
  const descriptors = held.map(({ binding }) => {
    const fd = binding.descriptor();
    if (fd === null) throw new ReeveError('unsupported', 'this system hands no listening sockets on');
    return fd;
  });
  const sockets = held.map(({ key, listener, asked, backlog, binding: { address, port, verified } }) => {
    return { key, listener, asked, address, port, backlog, verified };
  });
  return { sockets, descriptors };
}
