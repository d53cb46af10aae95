// Door of win32/: the calls into Windows.
export * from './advapi32.ts';
export * from './desktop.ts';
export * from './errors.ts';
export * from './kernel32.ts';
export * from './network.ts';
export * from './ntdll.ts';
export * from './security.ts';
export * from './services.ts';
