// Selecting a stretch with the pointer: a drag with the mouse, or a horizontal swipe. Vertical swipes scroll the page
// (`touch-action` of the plot), and the browser takes them away from here.

export interface Swipe {
  /** What is selected so far: from one horizontal place to another, CSS pixels. */
  onMove: (a: number, b: number) => void;
  /** Nothing is selected any more. */
  onEnd: () => void;
  /** Comes after `onEnd` when the selection was finished rather than given up. */
  onDone: (a: number, b: number) => void;
}

/** Less than this is a click or a tap. */
const CLICK_PX = 5;

/** Listens on `element` as long as it exists. */
export function watchSwipes(element: HTMLElement, { onMove, onEnd, onDone }: Swipe): void {
  let start: number | null = null;
  let selecting = false;
  const place = (event: PointerEvent) => {
    const { left, width } = element.getBoundingClientRect();
    return Math.min(width, Math.max(0, event.clientX - left));
  };
  const end = () => {
    start = null;
    if (selecting) onEnd();
    selecting = false;
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.isPrimary && event.button === 0) start = place(event);
    else end();
  });
  element.addEventListener("pointermove", (event) => {
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
    end();
    if (done && from !== null) onDone(from, to);
  });
  element.addEventListener("pointercancel", end);
}
