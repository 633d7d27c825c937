// Tells of new alerts by the browser's notifications, if somebody wants that here. The relay that all tabs share gives each
// alert to one tab alone; what a silence or a mute covers is not told.
import { computed, effect, untracked } from "@preact/signals";
import { active } from "../alerts/data.ts";
import { get } from "../api/client.ts";
import type { ActiveAlert, Why } from "../api/types.gen.ts";
import { claim, onGranted } from "../live/session.ts";
import { me } from "../login/me.ts";
import { closeNotifications, registration } from "../offline/register.ts";
import { base, notifyLevel } from "../preferences.ts";
import { navigate } from "../router.ts";
import {
  type Counted,
  counted,
  hrefOf,
  isOver,
  isSilenced,
  isWanted,
  MANY,
  MANY_HREF,
  MOST_AT_ONCE,
  manyWords,
  type News,
  newsOf,
  tagOf,
  wordsOf,
} from "./news.ts";

/** So many are asked about at a time. */
const ASKERS = 4;

/** Whether the browser lets us, as far as it was asked. */
export const allowed = (): boolean => "Notification" in globalThis && Notification.permission === "granted";

/** Where it cannot be known it is told: a silence is the exception. */
async function isQuiet({ incident }: ActiveAlert): Promise<boolean> {
  return get<Why>(`/incidents/${incident}/why`).then(
    ({ reasons }) => isSilenced(reasons),
    () => false,
  );
}

/** `alerts` without those that a silence covers, as far as that is to be known: so many are one notification anyhow. */
async function audible(alerts: readonly ActiveAlert[]): Promise<ActiveAlert[]> {
  const left = [...alerts];
  const heard: ActiveAlert[] = [];
  const ask = async (): Promise<void> => {
    while (heard.length <= MOST_AT_ONCE) {
      const alert = left.shift();
      if (!alert) return;
      if (!(await isQuiet(alert))) heard.push(alert);
    }
  };
  await Promise.all(Array.from({ length: ASKERS }, ask));
  return [...heard, ...left];
}

async function show(words: { title: string; body: string }, tag: string, href: string, many?: Counted): Promise<void> {
  const options = { body: words.body, tag, icon: "/icons/icon-192.png", data: { href, many } };
  const kept = await registration();
  try {
    // Not while its worker is still being installed.
    if (kept?.active) return await kept.showNotification(words.title, options);
  } catch {
    // The page itself may.
  }
  const shown = new Notification(words.title, options);
  shown.onclick = () => {
    shown.close();
    focus();
    navigate(href);
  };
}

async function tell(alerts: readonly ActiveAlert[]): Promise<void> {
  const heard = await audible(alerts);
  const isPlay = me.peek()?.demonstration;
  if (heard.length <= MOST_AT_ONCE) {
    await Promise.allSettled(heard.map((alert) => show(wordsOf(alert, base(), isPlay), tagOf(alert), hrefOf(alert))));
    return;
  }
  const [before] = (await (await registration())?.getNotifications({ tag: MANY })) ?? [];
  const many = counted(heard, (before?.data as { many?: Counted } | undefined)?.many);
  await show(manyWords(many, isPlay), MANY, MANY_HREF, many);
}

export function startTelling(): void {
  /** What fires and is bad enough to be told. */
  let wanted: News[] = [];
  /** What waits while others are told of: what comes in a storm comes as one. */
  let waiting: ActiveAlert[] = [];
  let telling = false;
  async function tellAll(): Promise<void> {
    if (telling) return;
    telling = true;
    while (waiting.length > 0) {
      const next = waiting;
      waiting = [];
      // A notification that cannot be shown is no reason to stop: the page says the same.
      await tell(next).catch(() => {});
    }
    telling = false;
  }
  onGranted((keys) => {
    if (!allowed()) return;
    const granted = new Set(keys);
    waiting.push(...wanted.filter(({ key }) => granted.has(key)).map(({ alert }) => alert));
    void tellAll();
  });
  /** Moves when they do, and not while they are asked for. */
  const known = computed(() => (active.state.value.error === null ? active.state.value.value : null));
  let tags: ReadonlySet<string> | null = null;
  effect(() => {
    const alerts = known.value;
    if (alerts === null) return;
    const news = newsOf(alerts);
    const now = new Set(alerts.map(tagOf));
    const mayBeOver = tags === null || [...tags].some((tag) => !now.has(tag));
    tags = now;
    untracked(() => {
      const level = notifyLevel.peek();
      wanted = news.filter(({ alert }) => isWanted(alert, level));
      // Also where nobody wants to hear of them: what has begun by then is no news to whoever wants to later.
      claim(news.map(({ key }) => key));
      if (mayBeOver && allowed()) closeNotifications((tag) => isOver(tag, now)).catch(() => {});
    });
  });
}
