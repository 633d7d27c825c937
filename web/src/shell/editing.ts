// Something stored that is written in a dialog: what is typed, and saving it under the version that it began with.
import { useSignal } from "@preact/signals";
import { Failure, get, reasonOf, request } from "../api/client.ts";
import { refusalWords } from "./refusal.ts";

interface Stored {
  readonly version: number;
}

interface Asked<S extends Stored, D extends object> {
  /** What a refusal calls it: `channel`. */
  what: string;
  /** Null: a new one, which begins as `fresh`. */
  stored: S | null;
  fresh: D;
  draftOf: (stored: S) => D;
  /** Where new ones are made, such as `/channels`; the stored one is at `/channels/{id}`. */
  collection: string;
  idOf: (stored: S) => string | number;
  bodyOf: (draft: D) => unknown;
  /** What is wrong without asking the gateway, by its names of the fields. */
  faultsOf?: (draft: D) => Record<string, string>;
}

export interface Editing<S extends Stored, D extends object> {
  readonly draft: D;
  /** Whether anything is typed that is not saved. */
  readonly dirty: boolean;
  readonly busy: boolean;
  /** What the gateway objected to, by its names of the fields, without numbers in lists. */
  readonly errors: Readonly<Record<string, string>>;
  /** Why the last save failed; null where somebody else was faster. */
  readonly refusal: string | null;
  /** It as somebody else changed it meanwhile. */
  readonly theirs: S | null;
  /** Saves that failed so far. */
  readonly failures: number;
  set: (change: Partial<D>) => void;
  /** Whether it was saved; false too while another save is on its way. */
  save: () => Promise<boolean>;
  /** Goes on with what somebody else made of it. */
  take: () => void;
  /** Saves what is typed over what somebody else made of it. */
  overwrite: () => Promise<boolean>;
}

export function useEditing<S extends Stored, D extends object>(asked: Asked<S, D>): Editing<S, D> {
  const begun = asked.stored ? asked.draftOf(asked.stored) : asked.fresh;
  const before = useSignal<D>(begun);
  const draft = useSignal<D>(begun);
  /** The version that a save must still find. */
  const version = useSignal(asked.stored?.version);
  const busy = useSignal(false);
  const errors = useSignal<Record<string, string>>({});
  const refusal = useSignal<string | null>(null);
  const theirs = useSignal<S | null>(null);
  const failures = useSignal(0);
  const address = asked.stored ? `${asked.collection}/${asked.idOf(asked.stored)}` : asked.collection;

  async function save(): Promise<boolean> {
    if (busy.value) return false;
    errors.value = asked.faultsOf?.(draft.value) ?? {};
    refusal.value = null;
    theirs.value = null;
    if (Object.keys(errors.value).length > 0) {
      failures.value += 1;
      return false;
    }
    busy.value = true;
    const body = asked.bodyOf(draft.value);
    try {
      if (version.value === undefined) await request("POST", address, { body });
      else await request("PUT", address, { body, version: version.value });
      return true;
    } catch (reason) {
      if (!(reason instanceof Failure)) throw reason;
      await explain(reason);
      failures.value += 1;
      return false;
    } finally {
      busy.value = false;
    }
  }
  async function explain(failure: Failure): Promise<void> {
    if (failure.status === 412) {
      try {
        theirs.value = await get<S>(address);
      } catch (unread) {
        refusal.value = `Somebody changed this ${asked.what} meanwhile. ${reasonOf(unread)}`;
      }
    } else if (failure.status === 404 && asked.stored) {
      refusal.value = `Somebody deleted this ${asked.what} meanwhile, so it cannot be saved.`;
    } else {
      errors.value = Object.fromEntries(
        failure.fields.map((one) => [one.field.replace(/\[.*$/, ""), refusalWords(one.reason)]),
      );
      refusal.value = failure.message;
    }
  }
  return {
    draft: draft.value,
    dirty: JSON.stringify(draft.value) !== JSON.stringify(before.value),
    busy: busy.value,
    errors: errors.value,
    refusal: refusal.value,
    theirs: theirs.value,
    failures: failures.value,
    set: (change) => {
      draft.value = { ...draft.value, ...change };
    },
    save,
    take: () => {
      if (!theirs.value) return;
      before.value = asked.draftOf(theirs.value);
      draft.value = before.value;
      version.value = theirs.value.version;
      theirs.value = null;
    },
    overwrite: () => {
      version.value = theirs.value?.version;
      return save();
    },
  };
}
