// A rehearsal of the rule in the form: asked for, watched, and called off when nobody wants it any more.
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Failure, get, request } from "../api/client.ts";
import type { Rehearsal, Rule } from "../api/types.gen.ts";
import { isOver, playable } from "./rehearsal.ts";

export interface Played {
  /** As it was asked for. */
  rule: string;
  days: number;
  /** Null: the gateway has not answered yet. */
  told: Rehearsal | null;
  failure: string | null;
  /** Somebody does not want it any more. */
  off: boolean;
}

export interface Playing {
  /** The last one asked for. */
  readonly played: Played | null;
  /** It is on its way. */
  readonly goes: boolean;
  /** The rule was changed since, or how far back it is to look. */
  readonly stale: boolean;
  /** How far back the next one looks. */
  days: Signal<number>;
  /** Plays `rule`, in the place of what is on its way. */
  play: (rule: Rule) => void;
  callOff: () => void;
}

/** An answer about one that goes on comes so often. */
const WAIT_S = 1;

/** `rule` is the one in the form. */
export function usePlaying(rule: Rule): Playing {
  const days = useSignal(7);
  const played = useSignal<Played | null>(null);
  useEffect(() => () => callOff(played), [played]);
  const now = played.value;
  return {
    played: now,
    goes: now !== null && !now.off && now.failure === null && (now.told === null || !isOver(now.told)),
    stale: now !== null && (now.days !== days.value || now.rule !== JSON.stringify(playable(rule))),
    days,
    play: (next) => {
      callOff(played);
      void play(played, next, days.peek());
    },
    callOff: () => callOff(played),
  };
}

async function play(played: Signal<Played | null>, rule: Rule, days: number): Promise<void> {
  const asked = playable(rule);
  const mine: Played = { rule: JSON.stringify(asked), days, told: null, failure: null, off: false };
  let latest = mine;
  const put = (change: Partial<Played>): void => {
    latest = { ...latest, ...change };
    played.value = latest;
  };
  played.value = mine;
  /** Called off, or another one was asked for. */
  const dropped = () => played.peek() !== latest;
  try {
    let told = await request<Rehearsal>("POST", "/rehearsals", { body: { rule: asked, days } });
    while (!dropped()) {
      put({ told });
      if (isOver(told)) return;
      told = await get<Rehearsal>(`/rehearsals/${told.id}?wait_s=${WAIT_S}`);
    }
    if (latest.told === null) await request("DELETE", `/rehearsals/${told.id}`);
  } catch (reason) {
    if (!(reason instanceof Failure)) throw reason;
    if (!dropped()) put({ failure: reason.fields[0]?.reason ?? reason.message });
  }
}

/** What was not answered yet is called off as soon as its id is known. */
function callOff(played: Signal<Played | null>): void {
  const now = played.peek();
  if (now === null || now.off) return;
  played.value = { ...now, off: true };
  if (now.told === null || isOver(now.told)) return;
  // Nobody waits for the answer: a rehearsal that goes on all the same ends by itself.
  request("DELETE", `/rehearsals/${now.told.id}`, { keepalive: true }).catch((reason: unknown) => {
    if (!(reason instanceof Failure)) throw reason;
  });
}
