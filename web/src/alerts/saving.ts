// Sends a rule that was written in the editor, and keeps what came back: faults by field, or that somebody was faster.
import { useSignal } from "@preact/signals";
import { Failure, get, reasonOf, request } from "../api/client.ts";
import type { StoredRule } from "../api/types.gen.ts";
import { type Draft, errorsByField, type Faults, faultsOf, ruleOf } from "./draft.ts";

export interface Saving {
  /** What the gateway objected to, by field. */
  readonly refused: Faults;
  /** What is wrong with no field in particular. */
  readonly general: string | null;
  /** The rule as somebody else changed it meanwhile. */
  readonly theirs: StoredRule | null;
  /** Saves that failed so far. */
  readonly failures: number;
  readonly busy: boolean;
  /** Whether it was saved, as it is not while a save is on its way; `version` must still be there, undefined: a new rule. */
  save: (draft: Draft, version: number | undefined) => Promise<boolean>;
  /** Whether the draft makes sense as far as that can be known here; if not, that counts as a failure to save it. */
  check: (draft: Draft) => boolean;
  /** These fields have been changed: what was said about them no longer holds. */
  forget: (change: Partial<Draft>) => void;
  /** What somebody else made of it has been taken. */
  settle: () => void;
}

export function useSaving(): Saving {
  const refused = useSignal<Faults>({});
  const general = useSignal<string | null>(null);
  const theirs = useSignal<StoredRule | null>(null);
  const failures = useSignal(0);
  const busy = useSignal(false);

  function check(draft: Draft): boolean {
    if (Object.keys(faultsOf(draft)).length === 0) return true;
    failures.value += 1;
    return false;
  }
  async function save(draft: Draft, version: number | undefined): Promise<boolean> {
    if (busy.value) return false;
    refused.value = {};
    general.value = null;
    theirs.value = null;
    if (!check(draft)) return false;
    busy.value = true;
    const rule = ruleOf(draft);
    try {
      if (version === undefined) await request("POST", "/rules", { body: rule });
      else await request("PUT", `/rules/${rule.id}`, { body: rule, version });
      return true;
    } catch (reason) {
      if (!(reason instanceof Failure)) throw reason;
      await explain(reason, draft);
      failures.value += 1;
      return false;
    } finally {
      busy.value = false;
    }
  }

  async function explain(failure: Failure, draft: Draft): Promise<void> {
    switch (failure.status) {
      case 404:
        general.value = "Somebody deleted this rule meanwhile, so it cannot be saved.";
        break;
      case 409:
        refused.value = { id: "Choose another id: a rule has this one." };
        break;
      case 412:
        try {
          theirs.value = await get<StoredRule>(`/rules/${draft.id}`);
        } catch (unread) {
          general.value = `Somebody changed this rule meanwhile. ${reasonOf(unread)}`;
        }
        break;
      default:
        refused.value = errorsByField(failure.fields);
        if (!Object.keys(refused.value).some((name) => formField(name) in draft)) general.value = failure.message;
    }
  }

  return {
    refused: refused.value,
    general: general.value,
    theirs: theirs.value,
    failures: failures.value,
    busy: busy.value,
    check,
    save,
    forget: (change) => {
      const kept = Object.entries(refused.value).filter(([name]) => !(formField(name) in change));
      refused.value = Object.fromEntries(kept);
    },
    settle: () => {
      theirs.value = null;
    },
  };
}

/** The field of the draft that holds it: `overrides` for one of an exception. */
const formField = (name: string): string => name.replace(/\..*$/, "");
