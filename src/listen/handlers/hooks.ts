// Lets threads import TypeScript: types are taken out as a file is read, lines stay where they were.
import { readFile } from 'node:fs/promises';
import { transform } from 'sucrase';

type Next = (url: string, context: unknown) => Promise<unknown>;

export async function load(url: string, context: unknown, next: Next): Promise<unknown> {
  if (!/^file:.*\.m?ts$/.test(url)) return next(url, context);
  const file = new URL(url);
  const { code } = transform(await readFile(file, 'utf8'), {
    transforms: ['typescript'],
    disableESTransforms: true,
    filePath: file.pathname,
  });
  return { format: 'module', shortCircuit: true, source: code };
}
