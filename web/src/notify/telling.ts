// Tells of new alerts by the browser's notifications, if somebody wants that here. The relay that all tabs share gives each
// alert to one tab alone; what a silence or a mute covers is not told.
import { effect, untracked } from "@preact/signals";
import { active } from "../alerts/data.ts";
import { get } from "../api/client.ts";
import type { Why } from "../api/types.gen.ts";
import { claim, onGranted } from "../live/session.ts";
import { me } from "../login/me.ts";
import { registration } from "../offline/register.ts";
import { base, notifyLevel } from "../preferences.ts";
import { hrefOf, isSilenced, type News, newsOf, tagOf, wordsOf } from "./news.ts";

/** Whether the browser lets us, as far as it was asked. */
export const allowed = (): boolean => "Notification" in globalThis && Notification.permission === "granted";

async function tell({ alert }: News): Promise<void> {
  const { reasons } = await get<Why>(`/incidents/${alert.incident}/why`);
  if (isSilenced(reasons)) return;
  const { title, body } = wordsOf(alert, base(), me.peek()?.demonstration);
  const options = { body, tag: tagOf(alert), icon: "/icons/icon-192.png", data: { href: hrefOf(alert) } };
  const kept = await registration();
  if (kept) await kept.showNotification(title, options);
  else new Notification(title, options);
}

/** Takes away what is over. */
async function clear(tags: ReadonlySet<string>): Promise<void> {
  const shown = (await (await registration())?.getNotifications()) ?? [];
  for (const one of shown) if (one.tag.startsWith("incident-") && !tags.has(one.tag)) one.close();
}

export function startTelling(): void {
  let news: News[] = [];
  onGranted((keys) => {
    // A notification that cannot be shown is no reason to stop: the page says the same.
    for (const one of news) if (keys.includes(one.key)) tell(one).catch(() => {});
  });
  effect(() => {
    const { value, error } = active.state.value;
    const level = notifyLevel.value;
    if (value === null || error !== null || level === "off" || !allowed()) return;
    news = newsOf(value, level);
    untracked(() => {
      claim(news.map(({ key }) => key));
      void clear(new Set(value.map(tagOf)));
    });
  });
}
