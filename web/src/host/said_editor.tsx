// The dialog in which people say what they call a host, how it is tagged, what is to know of it, and whether it notifies.
import { type Signal, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Failure, get, reasonOf, request } from "../api/client.ts";
import type { HostDetail } from "../api/types.gen.ts";
import { now } from "../live/session.ts";
import { Conflict } from "../shell/conflict.tsx";
import { Discard, isOutside } from "../shell/discard.tsx";
import { Field } from "../shell/field.tsx";
import { CloseIcon } from "../shell/icons.tsx";
import { useUnsaved } from "../shell/unsaved.tsx";
import { mutedWords } from "./muted.ts";
import {
  changeOf,
  type Draft,
  differenceWords,
  draftOf,
  type Faults,
  faultsOf,
  MOST_LABEL,
  MUTES,
  type Mute,
  tagsOf,
  withTag,
} from "./said.ts";
import "../style/said.css";

interface SaidEditorProps {
  /** The host as it was when the dialog was asked for. */
  host: HostDetail;
  onClosed: () => void;
}

export function SaidEditor({ host, onClosed }: SaidEditorProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const before = useSignal(host);
  const draft = useSignal<Draft>(draftOf(host));
  const faults = useSignal<Faults>({});
  const general = useSignal<string | null>(null);
  const theirs = useSignal<HostDetail | null>(null);
  const busy = useSignal(false);
  const discarding = useSignal(false);
  /** It may close without asking. */
  const settled = useRef(false);
  const address = `/hosts/${encodeURIComponent(host.id)}`;
  const dirty = Object.keys(changeOf(draft.value, before.value, 0)).length > 0;
  useUnsaved(`what is said of ${host.id}`, dirty);
  useLayoutEffect(() => dialog.current?.showModal(), []);

  function close(): void {
    settled.current = true;
    dialog.current?.close();
  }
  function leave(): void {
    if (busy.value) return;
    if (dirty) discarding.value = true;
    else close();
  }
  function set(change: Partial<Draft>): void {
    draft.value = { ...draft.value, ...change };
    general.value = null;
    if (Object.keys(faults.value).length > 0) faults.value = faultsOf(draft.value);
  }
  /** Sends what was edited here, over the host as it was in `version`; what else somebody changed stays. */
  async function save(version: number): Promise<void> {
    if (busy.value) return;
    faults.value = faultsOf(draft.value);
    if (Object.keys(faults.value).length > 0) {
      requestAnimationFrame(() => dialog.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
      return;
    }
    busy.value = true;
    general.value = theirs.value = null;
    try {
      const body = changeOf(draft.value, before.value, now.peek());
      await request("PATCH", address, { body, version });
      close();
    } catch (reason) {
      await explain(reason);
    } finally {
      busy.value = false;
    }
  }
  async function explain(reason: unknown): Promise<void> {
    general.value = reasonOf(reason);
    if (!(reason instanceof Failure) || reason.status !== 412) return;
    try {
      theirs.value = await get<HostDetail>(address);
      general.value = null;
    } catch (unread) {
      general.value = `Somebody changed this meanwhile. ${reasonOf(unread)}`;
    }
  }
  function take(found: HostDetail): void {
    before.value = found;
    draft.value = draftOf(found);
    theirs.value = null;
  }

  return (
    <dialog
      ref={dialog}
      class="editor"
      aria-labelledby="said-title"
      onCancel={(event) => {
        event.preventDefault();
        leave();
      }}
      onClose={() => {
        if (settled.current || !dirty) onClosed();
        else {
          // Browsers close a dialog without asking when its user insists.
          dialog.current?.showModal();
          discarding.value = true;
        }
      }}
      onMouseDown={(event) => {
        if (dialog.current && event.target === dialog.current && isOutside(event, dialog.current)) {
          event.preventDefault();
          leave();
        }
      }}
    >
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save(before.value.version);
        }}
      >
        <header>
          <h2 id="said-title">{host.id}</h2>
          <button type="button" class="quiet" onClick={leave} aria-label="Close">
            <CloseIcon />
          </button>
        </header>
        <Fields draft={draft} faults={faults.value} host={before.value} set={set} />
        {general.value && (
          <p class="notice bad" role="alert">
            {general.value}
          </p>
        )}
        {theirs.value && (
          <Conflict
            onTake={() => take(theirs.value as HostDetail)}
            onOverwrite={() => void save((theirs.value as HostDetail).version)}
          >
            {`Somebody changed this meanwhile: ${differenceWords(before.value, theirs.value, now.peek())}`}
          </Conflict>
        )}
        {discarding.value ? (
          <Discard
            onKeep={() => {
              discarding.value = false;
              dialog.current?.querySelector<HTMLElement>("input")?.focus();
            }}
            onDiscard={close}
          />
        ) : (
          <footer>
            <button type="button" onClick={leave}>
              Cancel
            </button>
            <button type="submit" class="primary">
              {busy.value ? "Saving …" : "Save"}
            </button>
          </footer>
        )}
      </form>
    </dialog>
  );
}

interface FieldsProps {
  draft: Signal<Draft>;
  faults: Faults;
  host: HostDetail;
  set: (change: Partial<Draft>) => void;
}

function Fields({ draft, faults, host, set }: FieldsProps) {
  const { label, tags, note, mute } = draft.value;
  const proposed = host.proposed_tags.filter((tag) => !tagsOf(tags).includes(tag));
  const muted = mutedWords(host.muted_until, now.peek());
  return (
    <div class="fields">
      <Field label="Label" error={faults.label} hint="What people call it; empty: its id" wide>
        <input
          name="label"
          value={label}
          maxLength={MOST_LABEL}
          autocomplete="off"
          autofocus
          onInput={(event) => set({ label: event.currentTarget.value })}
        />
      </Field>
      <Field label="Tags" error={faults.tags} hint="Words, with spaces between them" wide>
        <input
          name="tags"
          value={tags}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => set({ tags: event.currentTarget.value })}
        />
      </Field>
      {proposed.length > 0 && (
        <p class="wide-field proposed">
          Its agent proposes
          {proposed.map((tag) => (
            <button key={tag} type="button" class="quiet" onClick={() => set({ tags: withTag(tags, tag) })}>
              + {tag}
            </button>
          ))}
        </p>
      )}
      <Field label="Notifications" hint="Its alerts go on and are shown, whether people are notified or not" wide>
        <select name="mute" value={mute} onChange={(event) => set({ mute: event.currentTarget.value as Mute })}>
          {muted && <option value="keep">{`As it is: ${muted}`}</option>}
          <option value="off">People are notified</option>
          {(Object.keys(MUTES) as (keyof typeof MUTES)[]).map((one) => (
            <option key={one} value={one}>
              {MUTES[one]}
            </option>
          ))}
        </select>
      </Field>
      <Field label="Note" error={faults.note} wide>
        <textarea name="note" rows={3} value={note} onInput={(event) => set({ note: event.currentTarget.value })} />
      </Field>
    </div>
  );
}
