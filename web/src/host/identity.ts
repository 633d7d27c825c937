// What is said of a host's identity, in words. Pure.
import type { HostIdentity } from "../api/types.gen.ts";
import { fixed, moment, recent } from "../format.ts";

/** Names and values for the host's facts. */
export function identityFacts({ enrolled, expires, revoked, refused }: HostIdentity): [string, string][] {
  const rows: [string, string][] = [
    ["Enrolled", moment(enrolled)],
    revoked === null ? ["Expires", moment(expires)] : ["Revoked", moment(revoked)],
  ];
  if (refused > 0) rows.push(["Refused", `${fixed(refused, 0)} ${refused === 1 ? "request" : "requests"}`]);
  return rows;
}

/** How somebody gives a host an identity of its own again. */
export const AGAIN = "sonde agent enrol --again";

export interface Warning {
  text: string;
  /** A command that helps, and the words before it. */
  remedy: string;
}

/** What somebody should do something about; nothing where all is well. */
export function identityWarnings(identity: HostIdentity, now: number): Warning[] {
  const { revoked, cloned, expires, suspended } = identity;
  const last = (time: number) => recent(time, now);
  if (revoked !== null)
    return [{ text: `Its identity was revoked, ${last(revoked)}.`, remedy: "To let it in again, run there" }];
  const warnings: Warning[] = [];
  if (cloned !== null)
    warnings.push({
      text: `Two agents use this identity in turns, last seen ${last(cloned)}: one machine is a copy of the other.`,
      remedy: "On one of them, run",
    });
  if (expires <= now)
    warnings.push({ text: `Its identity expired, ${last(expires)}.`, remedy: "To let it in again, run there" });
  if (suspended !== null && suspended > now)
    warnings.push({ text: `It flooded the bus and is shut out until ${last(suspended)}.`, remedy: "" });
  return warnings;
}
