// When what has come is drawn.

/** So seldom something is drawn anew while anything is scrolled. */
const SCROLLED_MS = 300;
let scrolledAt = Number.NEGATIVE_INFINITY;

/** Has `paintSoon` know when something is scrolled. */
export function watchScrolling(): void {
  const note = () => {
    scrolledAt = performance.now();
  };
  addEventListener("scroll", note, { capture: true, passive: true });
}

/** Calls `paint` in the next frame; while something is scrolled a moment later, so that the scrolling has its frames. */
export function paintSoon(paint: () => void): void {
  const next = () => requestAnimationFrame(paint);
  if (performance.now() - scrolledAt < SCROLLED_MS) setTimeout(next, SCROLLED_MS);
  else next();
}
