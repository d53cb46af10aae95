// In which encoding programs print where they do not use UTF-8: the code page of new consoles, and of the system.
import { isEncoding } from '../../core/code-page.ts';
import { kernel32 } from '../../ffi/index.ts';

/**
 * The OEM page, in which every new console begins, and instances have a console of their own; the ANSI page only where
 * that one is not known. In East Asia both are the same.
 */
export function outputEncoding(): string {
  const pages = [kernel32.GetOEMCP(), kernel32.GetACP()];
  const known = pages.map((page) => (page === 65_001 ? 'utf-8' : `cp${page}`)).find(isEncoding);
  return known ?? 'utf-8';
}
