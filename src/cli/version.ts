// The package's version, put in by the build; sources that run unbuilt say so.
declare const __REEVE_VERSION__: string | undefined;

export const version: string = typeof __REEVE_VERSION__ === 'string' ? __REEVE_VERSION__ : '0.0.0-source';
