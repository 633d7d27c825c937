// The keyboard in the fleet: `j` and `k` go from host to host, `x` selects, Escape lets go. Enter is the link's own. What has
// the focus stays in the page when it is scrolled off the screen.
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useReducer, useRef } from "preact/hooks";
import type { Group } from "./grouping.ts";
import { cursor, select, selected, selectNone } from "./selection.ts";
import { indexOf, type Spot, step } from "./spots.ts";

type Groups = readonly Group<{ readonly id: string }>[];

interface Keys {
  /** Lines that stay in the page. */
  keep: readonly number[];
  /** Told in every turn how to bring a line on the screen. */
  follow: (reveal: (line: number) => void) => void;
  onFocusIn: (event: FocusEvent) => void;
}

/** Items carry `data-host` and `data-group`, and the first link in one is what gets the focus. */
export function useKeys(
  groups: Groups,
  lineAt: (group: number, at: number) => number,
  box: RefObject<HTMLElement | null>,
): Keys {
  const [, again] = useReducer((count: number) => count + 1, 0);
  /** What of the cursor's item has the focus: its link, or its box. */
  const held = useRef<"a" | "input" | null>(null);
  /** The focus is to go to the cursor as soon as that is in the page. */
  const wanted = useRef(false);
  const now = useRef({ groups, lineAt, reveal: (_: number) => {} });
  Object.assign(now.current, { groups, lineAt });
  const found = indexOf(groups, cursor.value);
  const line = found && lineAt(...found);

  useEffect(() => {
    function go(by: 1 | -1): void {
      const from = cursor.peek() ?? firstOnScreen(box.current);
      if (!from) return;
      const to = cursor.peek() === null ? from : step(now.current.groups, from, by);
      const place = indexOf(now.current.groups, to);
      if (!to || !place) return;
      cursor.value = to;
      wanted.current = true;
      now.current.reveal(now.current.lineAt(...place));
      again(undefined);
    }
    function onKey(event: KeyboardEvent): void {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const target = event.target as Element;
      if (target.closest("select, textarea, dialog, [popover], input:not([type=checkbox])")) return;
      if (event.key === "j" || event.key === "k") go(event.key === "j" ? 1 : -1);
      else if (event.key === "x" || event.key === "X") {
        const at = cursor.peek();
        if (!at || indexOf(now.current.groups, at) === null) return;
        const order = now.current.groups.flatMap(({ hosts }) => hosts.map(({ id }) => id));
        select(at.id, event.shiftKey ? order : null);
      } else if (event.key === "Escape" && selected.peek().length > 0) selectNone();
      else return;
      event.preventDefault();
    }
    /** The focus goes elsewhere because somebody wants it there, and not because its item was moved. */
    function onElsewhere({ target }: Event): void {
      if (!(target as Element).closest?.("[data-host]")) held.current = null;
    }
    addEventListener("keydown", onKey);
    addEventListener("focusin", onElsewhere);
    addEventListener("pointerdown", onElsewhere);
    return () => {
      removeEventListener("keydown", onKey);
      removeEventListener("focusin", onElsewhere);
      removeEventListener("pointerdown", onElsewhere);
    };
  }, [box]);

  useLayoutEffect(() => {
    // An item that changes its place loses the focus on its way, but for browsers that can move it in one piece.
    const lost = held.current !== null && document.activeElement === document.body;
    if ((!wanted.current && !lost) || !cursor.value) return;
    const item = itemOf(box.current, cursor.value);
    const target = item?.querySelector<HTMLElement>(wanted.current ? "a" : (held.current ?? "a"));
    if (!target) return;
    wanted.current = false;
    target.focus({ preventScroll: true });
  });

  return {
    keep: line !== null && (held.current !== null || wanted.current) ? [line] : [],
    follow: (reveal) => {
      now.current.reveal = reveal;
    },
    onFocusIn: ({ target }) => {
      const item = (target as Element).closest<HTMLElement>("[data-host]");
      if (!item) return;
      held.current = target instanceof HTMLInputElement ? "input" : "a";
      cursor.value = spotOf(item);
    },
  };
}

const spotOf = ({ dataset }: HTMLElement): Spot => ({ group: dataset.group ?? "", id: dataset.host ?? "" });

const itemOf = (box: HTMLElement | null, { group, id }: Spot): HTMLElement | null =>
  box?.querySelector<HTMLElement>(`[data-host="${CSS.escape(id)}"][data-group="${CSS.escape(group)}"]`) ?? null;

/** The first host that is wholly on the screen. */
function firstOnScreen(box: HTMLElement | null): Spot | null {
  if (!box) return null;
  const items = [...box.querySelectorAll<HTMLElement>("[data-host]")];
  const top = Number.parseFloat(getComputedStyle(box).scrollMarginTop) || 0;
  const item = items.find((one) => one.getBoundingClientRect().top >= top) ?? items[0];
  return item ? spotOf(item) : null;
}
