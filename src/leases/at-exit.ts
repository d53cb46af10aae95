// What must be done when this process exits. One listener for all, since Node warns of more than ten.
const works = new Set<() => void>();

function runAll(): void {
  for (const work of works) {
    try {
      work();
    } catch {
      // Best effort: the end of the process tells the others as well.
    }
  }
}

/** @returns how to call it off. */
export function atExit(work: () => void): () => void {
  if (works.size === 0) process.on('exit', runAll);
  works.add(work);
  return () => {
    works.delete(work);
    if (works.size === 0) process.off('exit', runAll);
  };
}
