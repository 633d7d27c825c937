// Pointers on a chart: a drag with the mouse or a horizontal swipe selects a stretch; two fingers, or the mouse with Shift,
// move and stretch what is shown. Vertical swipes scroll the page (`touch-action` of the plot): the browser takes them away.

export interface Swipe {
  /** What is selected so far: from one horizontal place to another, CSS pixels. */
  onMove: (a: number, b: number) => void;
  /** Nothing is selected any more. */
  onEnd: () => void;
  /** Comes after `onEnd` when the selection was finished rather than given up. */
  onDone: (a: number, b: number) => void;
  /** Two fingers went from one pair of places to another. */
  onPinch: (before: Pair, after: Pair) => void;
  /** The fingers were lifted. */
  onPinched: () => void;
}

export type Pair = readonly [number, number];

/** Less than this is a click or a tap. */
const CLICK_PX = 5;
/** The mouse alone stands for two fingers so far apart. */
const MOUSE_PX = 100;

/** Listens on `element` as long as it exists. */
export function watchSwipes(element: HTMLElement, { onMove, onEnd, onDone, onPinch, onPinched }: Swipe): void {
  /** Where each pointer is that is down. */
  const down = new Map<number, number>();
  let start: number | null = null;
  let selecting = false;
  /** Where two fingers began. */
  let pinch: Pair | null = null;

  const place = (event: PointerEvent) => {
    const { left, width } = element.getBoundingClientRect();
    return Math.min(width, Math.max(0, event.clientX - left));
  };
  /** Where both fingers are; the mouse may leave the chart while it moves it. */
  const pair = (): Pair => {
    const [first = 0, second = first + MOUSE_PX] = down.values();
    return [first, second];
  };
  function drop(): void {
    start = null;
    if (selecting) onEnd();
    selecting = false;
  }
  function end(event: PointerEvent): void {
    down.delete(event.pointerId);
    if (pinch) onPinched();
    pinch = null;
    drop();
  }
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const far = event.clientX - element.getBoundingClientRect().left;
    down.set(event.pointerId, far);
    if (down.size === 2 || event.shiftKey) {
      drop();
      pinch = pair();
      element.setPointerCapture(event.pointerId);
    } else if (event.isPrimary) {
      start = place(event);
      // Its button may be let go elsewhere. A finger is the browser's until it is clear that it does not scroll.
      if (event.pointerType === "mouse") element.setPointerCapture(event.pointerId);
    } else drop();
  });
  element.addEventListener("pointermove", (event) => {
    if (!down.has(event.pointerId)) return;
    if (pinch) {
      down.set(event.pointerId, event.clientX - element.getBoundingClientRect().left);
      onPinch(pinch, pair());
      return;
    }
    if (start === null || !event.isPrimary) return;
    const here = place(event);
    if (!selecting) {
      if (Math.abs(here - start) < CLICK_PX) return;
      selecting = true;
      element.setPointerCapture(event.pointerId);
    }
    onMove(start, here);
  });
  element.addEventListener("pointerup", (event) => {
    const [from, to, done] = [start, place(event), selecting];
    end(event);
    if (done && from !== null) onDone(from, to);
  });
  element.addEventListener("pointercancel", end);
  element.addEventListener("lostpointercapture", (event) => {
    if (down.has(event.pointerId)) end(event);
  });
}
