// One change of many hosts: the requests that it takes, and what came of them, in words. Pure.
import type { Bulk, BulkResult } from "../api/types.gen.ts";
import { counted } from "../format.ts";
import { tagsOf } from "../host/said.ts";

/** Hosts that one request may change. */
export const MOST_AT_ONCE = 1000;
/** Hosts that can be compared. */
export const MOST_COMPARED = 12;
/** Hosts that a silence can name. */
export const MOST_SILENCED = 200;
/** Named in a sentence. */
const NAMED = 5;

/** The requests that change `hosts`, each with as many as one may have. */
export function requestsFor(hosts: readonly string[], change: Omit<Bulk, "hosts">): Bulk[] {
  const parts = Math.ceil(hosts.length / MOST_AT_ONCE);
  return Array.from({ length: parts }, (_, at) => ({
    ...change,
    hosts: hosts.slice(at * MOST_AT_ONCE, (at + 1) * MOST_AT_ONCE),
  }));
}

/** `web-1, web-2 and 3 more`. */
export function namesOf(ids: readonly string[]): string {
  const more = ids.length - NAMED;
  const named = ids.slice(0, NAMED);
  if (more > 0) return `${named.join(", ")} and ${more} more`;
  return named.length > 1 ? `${named.slice(0, -1).join(", ")} and ${named.at(-1)}` : (named[0] ?? "");
}

/** Whom a change would concern, of what the gateway said when it was asked beforehand. */
export function previewWords(results: readonly BulkResult[]): string {
  const fit = results.filter(({ error }) => error === "").map(({ host }) => host);
  const not = results.filter(({ error }) => error !== "");
  const whom = fit.length === 0 ? "Changes no host." : `Changes ${counted(fit.length)}: ${namesOf(fit)}.`;
  return not.length === 0 ? whom : `${whom} ${failureWords(not)}`;
}

/** Why some were not changed; null when all were. */
export function failedWords(results: readonly BulkResult[]): string | null {
  const failed = results.filter(({ error }) => error !== "");
  if (failed.length === 0) return null;
  return `Done for ${results.length - failed.length} of ${counted(results.length)}. ${failureWords(failed)}`;
}

/** Each reason once, with the hosts that it holds for. */
function failureWords(failed: readonly BulkResult[]): string {
  const reasons = new Map<string, string[]>();
  for (const { host, error } of failed) reasons.set(error, [...(reasons.get(error) ?? []), host]);
  return [...reasons].map(([error, hosts]) => `Not ${namesOf(hosts)}: ${error}.`.replace(/\.\.$/, ".")).join(" ");
}

/** `/compare` of these hosts, for as many as fit on it. */
export const compareHref = (hosts: readonly string[]): string =>
  `/compare?${new URLSearchParams({ hosts: hosts.join(), metrics: "cpu.total" }).toString().replaceAll("%2C", ",")}`;

/** Offered at once. */
const MOST_OFFERED = 20;

/** What `text`, tags with spaces between them, could become: its last word completed by a tag that it does not have yet. */
export function tagOffers(text: string, known: Iterable<string>): readonly string[] {
  const [, before = "", word = ""] = /^(.*?)([^\s,]*)$/s.exec(text) ?? [];
  const taken = new Set(tagsOf(before));
  return [...known]
    .filter((tag) => tag !== word && tag.toLowerCase().startsWith(word.toLowerCase()) && !taken.has(tag))
    .slice(0, MOST_OFFERED)
    .map((tag) => `${before}${tag}`);
}
