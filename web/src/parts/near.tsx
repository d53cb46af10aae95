// Something in a long list that is there only near what is in sight; elsewhere its place is kept.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { whenInSight } from './in-sight.ts';

interface Props {
  /** Pixels, as long as it has not been seen. */
  height: number;
  children(): ComponentChildren;
  /** What stands in its place. */
  instead: ComponentChildren;
}

export function Near({ height, children, instead }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const isNear = useSignal(false);
  const measured = useRef(height);
  useEffect(
    () =>
      whenInSight(
        box.current!,
        (is) => {
          if (!is && isNear.peek()) measured.current = box.current!.offsetHeight;
          isNear.value = is;
        },
        '400px 0px',
      ),
    [],
  );
  return (
    <div ref={box} style={{ minHeight: isNear.value ? '0' : `${measured.current}px` }}>
      {isNear.value ? children() : instead}
    </div>
  );
}
