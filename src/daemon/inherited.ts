// Sockets that the service manager opened (socket activation): which listener gets which, each once.
import { canonicalAddress } from '../core/address.ts';
import type { Context } from '../core/context.ts';
import { type Endpoint, formatHostPort } from '../core/endpoint.ts';
import type { BindTools } from '../listen/index.ts';
import type { InheritedSocket } from '../system/index.ts';

/** By the listener's name (FileDescriptorName=), and of several with that name, or with none, by the address. */
export function inheritedSockets(
  sockets: InheritedSocket[],
  context: Context,
): NonNullable<BindTools['inherited']> {
  const left = new Set(sockets);
  return (listener, endpoint) => {
    // Those of UDP are not taken over.
    if (endpoint.protocol !== 'tcp') return null;
    const named = [...left].filter(({ name }) => name === listener);
    const same = (socket: InheritedSocket) => isAt(socket, endpoint);
    const found = named.find(same) ?? (named.length === 1 ? named[0] : undefined) ?? [...left].find(same);
    if (!found) return null;
    left.delete(found);
    context.emit({
      kind: 'listener',
      subject: `listener/${listener}`,
      message: `took over ${formatHostPort(found.address, found.port)} from the service manager`,
      detail: { descriptor: found.fd, name: found.name },
    });
    return found.fd;
  };
}

function isAt({ address, port }: InheritedSocket, { host, port: asked }: Endpoint): boolean {
  return port === asked && canonicalAddress(address) === canonicalAddress(host);
}
