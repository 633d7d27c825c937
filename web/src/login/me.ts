// Who is logged in: asked for with the page, again when the stream is back, and whenever a request or the stream finds
// nobody there.
import { computed, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import { once, whenLoggedOut } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { Me, Role } from "../api/types.gen.ts";
import { connection, live, resume } from "../live/session.ts";
import { forgetPerson } from "../preferences.ts";
import { forgetUnsaved } from "../shell/unsaved.tsx";
import { lasting } from "../storage.ts";
import { type Gate, gateOf, isAnother, KEPT_NAME, type Known, lack, parseKnown } from "./gate.ts";

/** How long the stream waits that was refused although somebody is logged in. */
const AGAIN_MS = 2000;

const session = loader<Me>((abort) => once("GET", "/session", { signal: abort }));
const remembered = parseKnown(lasting.read(KEPT_NAME));
/** For whom this page was open first: null before, an empty name where everybody may read. */
const entered = signal<Known | null>(null);
/** Somebody who need not log in to read wants to. */
export const wanted = signal(false);

/** Null before the gateway's first answer. */
export const me: ReadonlySignal<Me | null> = computed(() => session.state.value.value);
const known = computed<Known | null>(() => me.value ?? remembered);

export const gate: ReadonlySignal<Gate> = computed(() => {
  const { value, error } = session.state.value;
  return gateOf({ me: value, failed: error !== null, remembered, entered: entered.value });
});

/** Why the person may not do what needs `needs`; null when they may. */
export const lacking = (needs: Role): string | null => lack(known.value, needs);

/** Whether somebody is logged in who can keep anything. */
export const hasAccount = (): boolean => {
  const who = me.value;
  return who !== null && who.by !== "anonymous" && who.by !== "nobody";
};

/** Who the page is for; empty for anybody. */
export const enteredName = (): string => entered.value?.name ?? "";

/** Asks who is logged in now. */
export const askAgain = (): void => session.refresh();

/** Another person's page: nothing of this one stays, nor is anybody asked about it. */
function startAnew(): void {
  forgetUnsaved();
  location.reload();
}

/** Takes who has just logged in, or what has changed of them. Another person's page begins anew. */
export function enter(as: Me): void {
  if (isAnother(as, entered.peek())) {
    startAnew();
    return;
  }
  wanted.value = false;
  session.put(as);
  resume();
}

/** Ends the session. Nothing that tells of hosts stays in the browser. */
export async function leave(): Promise<void> {
  await once("DELETE", "/session");
  forgetPerson();
  await import("../offline/register.ts")
    .then(({ closeNotifications }) => closeNotifications(() => true))
    .catch(() => {});
  location.assign("/");
}

/** Resolves once somebody is logged in; asks first whether that is so already. */
function untilReturned(abort: AbortSignal | undefined): Promise<void> {
  session.refresh();
  return new Promise((resolve, reject) => {
    let stop = () => {};
    const give_up = () => {
      stop();
      reject(abort?.reason);
    };
    abort?.addEventListener("abort", give_up);
    stop = effect(() => {
      const { value, loading, error } = session.state.value;
      if (loading || error !== null || !value?.role) return;
      abort?.removeEventListener("abort", give_up);
      // An effect cannot end itself while it runs for the first time.
      queueMicrotask(() => stop());
      resolve();
    });
  });
}

/** What the answers mean: whom this page is for, what the browser keeps, and that another person's page begins anew. */
function follow(): void {
  const { value } = session.state.value;
  if (value === null) return;
  const { name, role } = value;
  lasting.write(KEPT_NAME, role === null ? "" : JSON.stringify({ name, role } satisfies Known));
  if (role === null) return;
  if (entered.peek() === null) entered.value = { name, role };
  else if (isAnother(value, entered.peek())) startAnew();
}

/** Runs `act` as soon as there is a page to show. */
export function onceOpen(act: () => void): void {
  const stop = effect(() => {
    if (gate.value !== "open") return;
    // An effect cannot end itself while it runs for the first time.
    queueMicrotask(() => stop());
    untracked(act);
  });
}

/** Starts everything that lasts as long as the page. */
export function startSessionWatch(): void {
  whenLoggedOut(untilReturned);
  effect(follow);
  session.load();
  let begun = false;
  effect(() => {
    // The stream is back: a role may have changed meanwhile, which ends it, or the gateway.
    if (live.value && begun) session.refresh();
    begun ||= live.value;
  });
  effect(() => {
    if (connection.value.kind === "out") session.refresh();
  });
  // In another tab somebody has logged in, and the stream that all share goes on.
  const away = computed(() => gate.value === "ended" || gate.value === "login");
  effect(() => {
    if (connection.value.kind !== "out" && away.peek()) session.refresh();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && away.peek()) session.refresh();
  });
  effect(() => {
    const { value, loading } = session.state.value;
    if (connection.value.kind !== "out" || loading || !value?.role) return undefined;
    const timer = setTimeout(resume, AGAIN_MS);
    return () => clearTimeout(timer);
  });
}
