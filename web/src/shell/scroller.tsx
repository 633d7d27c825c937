// What may be wider than the screen: it scrolls by itself, and by keyboard too.
import type { ComponentChildren } from "preact";

interface ScrollerProps {
  /** What is in it, for those who do not see it. */
  label: string;
  /** More classes. */
  class?: string;
  children: ComponentChildren;
}

export function Scroller({ label, class: more = "", children }: ScrollerProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without a pointer only what has the focus can be scrolled
    <section class={`scroll ${more}`} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
