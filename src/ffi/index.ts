// Door of ffi/: native calls. Only system/ and relay/ come in here.
export * from './call.ts';
export * from './epoll.ts';
export * from './libc.ts';
export * from './macos.ts';
export * from './sockets.ts';
export * from './win32/index.ts';
