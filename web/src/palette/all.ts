// Everything that the palette offers now: pages, saved views, actions, alerts that fire, and the hosts of this fleet, those in
// trouble first.
import { active, standingOf } from "../alerts/data.ts";
import { fires } from "../alerts/transitions.ts";
import { ordered, WORST } from "../fleet/order.ts";
import { STANDINGS } from "../fleet/summary.ts";
import { fleet } from "../live/session.ts";
import { lacking, me, wanted } from "../login/me.ts";
import { RESTRICTED } from "../people/restricted_pages.ts";
import { hostIn, PAGE_NAMES } from "../places.ts";
import { contrast, theme, units, type ZoneChoice, zonePreferred } from "../preferences.ts";
import { navigate, path, setQuery } from "../router.ts";
import { GROUPS, groupId } from "../settings/values.ts";
import { STANDING_WORDS } from "../shell/icons.tsx";
import { PAGES } from "../shell/pages.tsx";
import { views } from "../views/data.ts";
import type { Command } from "./commands.ts";
import { overlay } from "./open.ts";

export const allCommands = (): Command[] => [...pages(), ...saved(), ...actions(), ...firing(), ...hosts()];

function pages(): Command[] {
  const open = RESTRICTED.filter(([, , needs]) => lacking(needs) === null);
  return [
    ...PAGES.map(({ href, name }): [string, string] => [href, name]),
    ...(isReader() ? [] : [["/account", PAGE_NAMES["/account"]] as const]),
    ...open,
    ["/api", "API"] as const,
  ].map(([href, words]) => ({ key: href, group: "Pages", words, href }));
}

/** Whether nobody is logged in, where everybody may read. */
const isReader = (): boolean => ["anonymous", "nobody"].includes(me.peek()?.by ?? "");

const saved = (): Command[] =>
  (views.state.peek().value ?? []).map(({ id, name, path: href }) => ({
    key: `view:${id}`,
    group: "Views",
    words: name,
    also: ["saved", "view"],
    href,
  }));

/** What there is to do with the host whose page is open. */
function here(): Omit<Command, "group" | "key">[] {
  const id = hostIn(path.peek());
  if (id === undefined) return [];
  return [
    { words: `Compare ${id} with others`, also: ["this host"], href: `/compare?hosts=${id}&metrics=cpu.total` },
    { words: `Alerts of ${id}`, also: ["incidents", "this host"], href: `/hosts/${id}?view=alerts` },
    { words: `Settings of ${id}`, also: ["this host", "sampling"], href: `/hosts/${id}?view=settings` },
    {
      words: `Silence ${id}`,
      also: ["new", "maintenance", "this host"],
      needs: "operator",
      act: to(`/alerts?new=silence&host=${id}`),
    },
    {
      words: `Mute, name or tag ${id}`,
      also: ["unmute", "label", "notifications", "edit", "this host"],
      needs: "operator",
      act: () => setQuery({ edit: "said" }),
    },
    { words: `Agent of ${id}`, also: ["version", "spool", "this host"], href: `/hosts/${id}?view=agent` },
  ];
}

function actions(): Command[] {
  const list: Omit<Command, "group" | "key">[] = [
    ...here(),
    { words: "Add a machine", also: ["host", "agent", "enrol", "new"], needs: "admin", act: to("/?add=machine") },
    { words: "New rule", also: ["alert", "threshold", "add"], needs: "operator", act: to("/alerts?new=rule") },
    {
      words: "New silence",
      also: ["alert", "mute", "maintenance", "add"],
      needs: "operator",
      act: to("/alerts?new=silence"),
    },
    {
      words: "New channel",
      also: ["notification", "slack", "mail", "webhook", "add"],
      needs: "admin",
      act: to("/settings?new=channel"),
    },
    {
      words: "New route",
      also: ["notification", "escalation", "add"],
      needs: "operator",
      act: to("/settings?new=route"),
    },
    { words: "New user", also: ["people", "add", "invite"], needs: "admin", act: to("/people?new=user") },
    ...(isReader()
      ? []
      : [{ words: "New API token", also: ["program", "secret", "add"], act: to("/account?new=token") }]),
    {
      words: "Wall mode",
      also: ["screen", "kiosk", "full", "rotate", "tv"],
      detail: "saved views in turn, nothing to touch",
      act: () => setQuery({ wall: "30" }),
    },
    { words: "Save this page", also: ["view", "bookmark", "favourite"], act: open("views") },
    { words: "Saved views", also: ["manage", "start page", "opens first"], act: open("views") },
    ...STANDINGS.filter((one) => one !== "unknown").map((one) => ({
      words: `Hosts that are ${STANDING_WORDS[one].toLowerCase()}`,
      also: ["show", "filter"],
      href: `/?show=${one}`,
    })),
    { words: "Colours as the system", also: ["theme"], press: "t", act: choose(theme, "system") },
    { words: "Light colours", also: ["theme", "bright"], press: "t", act: choose(theme, "light") },
    { words: "Dark colours", also: ["theme", "night"], press: "t", act: choose(theme, "dark") },
    contrast.peek() === "more"
      ? { words: "Contrast as the system", also: ["high", "colours"], act: choose(contrast, "system") }
      : { words: "High contrast", also: ["colours", "theme"], act: choose(contrast, "more") },
    units.peek() === "binary"
      ? { words: "Decimal sizes: kB, MB, GB", also: ["units"], act: choose(units, "decimal") }
      : { words: "Binary sizes: KiB, MiB, GiB", also: ["units"], act: choose(units, "binary") },
    ...(Object.keys(ZONE_SAID) as ZoneChoice[])
      .filter((zone) => zone !== zonePreferred.peek())
      .map((zone) => ({
        words: `Times by ${ZONE_SAID[zone]}`,
        also: ["time zone", "clock", "utc"],
        act: choose(zonePreferred, zone),
      })),
    ...SECTIONS.map(([id, words]) => ({ words: `Settings: ${words}`, href: `/settings#${id}` })),
    {
      words: "List of keys",
      also: ["shortcuts", "help", "keyboard"],
      press: "?",
      act: open("keys"),
    },
    ...(isReader()
      ? [
          {
            words: "Log in",
            also: ["session", "user"],
            act: () => {
              wanted.value = true;
            },
          },
        ]
      : []),
    ...(me.peek()?.by === "session" ? [{ words: "Log out", also: ["end", "session"], act: open("leaving") }] : []),
  ];
  return list.map((one) => ({ ...one, key: `act:${one.words}`, group: "Actions" }));
}

const ZONE_SAID: Record<ZoneChoice, string> = { local: "this browser’s clock", utc: "UTC", host: "the host’s clock" };

/** The parts of the page of settings. */
const SECTIONS: readonly (readonly [id: string, words: string])[] = [
  ["channels", "Channels"],
  ["routes", "Routes"],
  ...GROUPS.map((name) => [groupId(name), name] as const),
  ["this-browser", "How you like it"],
];

const open = (what: typeof overlay.value) => () => {
  overlay.value = what;
};

const to = (href: string) => () => navigate(href);

function choose<T>(preference: { value: T }, value: T): () => void {
  return () => {
    preference.value = value;
  };
}

/** The worst alerts first, each leading to where it is acknowledged. */
function firing(): Command[] {
  const rank = { critical: 0, warning: 1 };
  return (active.state.peek().value ?? [])
    .filter(fires)
    .sort((a, b) => rank[a.severity] - rank[b.severity] || b.since - a.since)
    .map(({ incident, rule_name, host, instance, severity, acknowledged }) => ({
      key: `alert:${incident}`,
      group: "Alerts",
      words: [rule_name, "on", host || "Sonde", instance].filter(Boolean).join(" "),
      also: [severity, "incident", acknowledged ? "acknowledged" : "acknowledge"],
      detail: acknowledged ? "acknowledged" : "",
      standing: severity,
      href: `/alerts?incident=${incident}`,
    }));
}

function hosts(): Command[] {
  const listed = fleet.ids.peek().map((id) => {
    const entry = fleet.entries.get(id);
    const host = entry?.host.peek();
    return {
      id,
      host,
      lastStanding: entry ? standingOf(entry) : ("unknown" as const),
      near: 0,
      sortValue: () => null,
    };
  });
  return ordered(listed, WORST).map(({ id, host, lastStanding }) => {
    const words = host?.label || id;
    const others = [...new Set([id, host?.facts.hostname ?? id])].filter((name) => name !== words);
    return {
      key: `host:${id}`,
      group: "Hosts",
      words,
      also: [...others, ...(host?.tags ?? [])],
      detail: [...others, ...(host?.tags ?? [])].join(" · "),
      standing: lastStanding,
      href: `/hosts/${encodeURIComponent(id)}`,
    };
  });
}
