// Small moves on sockets that need care.
import { epoll, errno, errnoName, errorNumber, linux } from '../../ffi/index.ts';
import type { Place } from './place.ts';
import { chunkSize, type Plane } from './plane.ts';

const streamType = linux.SOCK_STREAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;

/** A socket on its way to the target; else the code of what failed at once. */
export function connectTo({ sockaddr }: Place, plane: Plane): number | string {
  if (!sockaddr) return 'ENOTFOUND';
  const family = sockaddr.length === 16 ? linux.AF_INET : linux.AF_INET6;
  let fd = epoll.socket(family, streamType, 0);
  if (fd < 0 && plane.spare.release()) fd = epoll.socket(family, streamType, 0);
  if (fd < 0) return errnoName(errno());
  if (epoll.connect(fd, sockaddr, sockaddr.length) < 0) {
    const number = errno();
    if (number !== errorNumber.EINPROGRESS) {
      epoll.close(fd);
      return errnoName(number);
    }
  }
  return fd;
}

/** Reads and forgets; true once there is nothing more to come. */
export function ignoreInput(fd: number, { buffer }: Plane): boolean {
  for (;;) {
    const size = epoll.recv(fd, buffer.pointer, chunkSize, 0);
    if (size === 0) return true;
    if (size < 0) return errno() !== errorNumber.EAGAIN;
  }
}
