// Tells when an element comes into sight and leaves it: one observer of the browser's for all that ask alike.

const watchers = new Map<string, { observer: IntersectionObserver; told: Map<Element, Tell> }>();

type Tell = (isInSight: boolean) => void;

/** `margin`: how far outside of the window still counts, as CSS writes it. Returns how to stop. */
export function whenInSight(element: Element, tell: Tell, margin = '0px'): () => void {
  let watcher = watchers.get(margin);
  if (!watcher) {
    const told = new Map<Element, Tell>();
    const observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) told.get(target)?.(isIntersecting);
      },
      { rootMargin: margin },
    );
    watcher = { observer, told };
    watchers.set(margin, watcher);
  }
  const { observer, told } = watcher;
  told.set(element, tell);
  observer.observe(element);
  return () => {
    told.delete(element);
    observer.unobserve(element);
  };
}
