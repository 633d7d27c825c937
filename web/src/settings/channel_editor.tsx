// The dialog in which a channel is written. Its secrets are typed and never shown; an empty one stays as it is.
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { KINDS } from "../alerts/telling.ts";
import { slug } from "../alerts/words.ts";
import { request } from "../api/client.ts";
import type { StoredChannel } from "../api/types.gen.ts";
import { Field } from "../shell/field.tsx";
import { CloseIcon } from "../shell/icons.tsx";
import { useSending } from "../shell/sending.ts";
import { channelOf, type Draft, draftOf, FIELDS, FRESH } from "./channel_draft.ts";
import { channels } from "./telling.ts";

interface ChannelEditorProps {
  /** Null: a new one. */
  stored: StoredChannel | null;
  onClosed: () => void;
}

export function ChannelEditor({ stored, onClosed }: ChannelEditorProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const draft = useSignal<Draft>(stored ? draftOf(stored.channel) : FRESH);
  const { busy, failure, send } = useSending();
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const errors = Object.fromEntries((failure?.fields ?? []).map((one) => [one.field.replace(/\[.*$/, ""), one.reason]));
  const shown = ["id", "name", "fallback", ...FIELDS[draft.value.kind].map(({ name }) => `target.${name}`)];
  const general = failure && !shown.some((name) => errors[name]) ? failure.message : null;
  useEffect(() => {
    if (failure) dialog.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [failure]);

  const set = (change: Partial<Draft>) => {
    draft.value = { ...draft.value, ...change };
  };
  async function save(event: Event): Promise<void> {
    event.preventDefault();
    const channel = channelOf({ ...draft.value, id: draft.value.id || slug(draft.value.name) });
    const done = await send(() =>
      stored
        ? request("PUT", `/channels/${channel.id}`, { body: channel, version: stored.version })
        : request("POST", "/channels", { body: channel }),
    );
    if (done) dialog.current?.close();
  }
  const others = (channels.state.value.value?.channels ?? []).filter(({ channel }) => channel.id !== draft.value.id);
  return (
    <dialog ref={dialog} class="editor" aria-labelledby="channel-title" onClose={onClosed}>
      <form noValidate onSubmit={(event) => void save(event)}>
        <header>
          <h2 id="channel-title">{stored ? `Channel ${stored.channel.id}` : "New channel"}</h2>
          <button type="button" class="quiet" onClick={() => dialog.current?.close()} aria-label="Close">
            <CloseIcon />
          </button>
        </header>
        <div class="fields">
          <Field label="Name" error={errors.name ?? errors.id} wide>
            <input
              name="name"
              autocomplete="off"
              autofocus
              maxLength={120}
              value={draft.value.name}
              onInput={(event) => set({ name: event.currentTarget.value })}
            />
          </Field>
          <Field label="Kind" wide>
            <select
              name="kind"
              value={draft.value.kind}
              onChange={(event) => set({ kind: event.currentTarget.value as Draft["kind"] })}
            >
              {Object.entries(KINDS).map(([kind, words]) => (
                <option key={kind} value={kind}>
                  {words}
                </option>
              ))}
            </select>
          </Field>
          <TargetFields draft={draft.value} errors={errors} secrets={stored?.secrets ?? []} set={set} />
          <Field label="While it is held" error={errors.fallback} hint="who is told when nothing can be sent here" wide>
            <select
              name="fallback"
              value={draft.value.fallback}
              onChange={(event) => set({ fallback: event.currentTarget.value })}
            >
              <option value="">nobody else</option>
              {others.map(({ channel }) => (
                <option key={channel.id} value={channel.id}>
                  {channel.name}
                </option>
              ))}
            </select>
          </Field>
          <label class="check">
            <input
              type="checkbox"
              checked={draft.value.enabled}
              onChange={(event) => set({ enabled: event.currentTarget.checked })}
            />
            Enabled
          </label>
        </div>
        {general && (
          <p class="notice bad" role="alert">
            {failure?.status === 412 ? "Somebody changed this channel meanwhile. Close this, and look again." : general}
          </p>
        )}
        <footer>
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class="primary">
            {busy ? "Saving …" : stored ? "Save channel" : "Create channel"}
          </button>
        </footer>
      </form>
    </dialog>
  );
}

interface TargetFieldsProps {
  draft: Draft;
  errors: Record<string, string>;
  /** Those that are set. */
  secrets: readonly string[];
  set: (change: Partial<Draft>) => void;
}

function TargetFields({ draft, errors, secrets, set }: TargetFieldsProps) {
  const same = draft.kept?.target.kind === draft.kind;
  return FIELDS[draft.kind].map(({ name, label, hint, secret, choices }) => {
    const value = draft.texts[name] ?? "";
    const put = (text: string) => set({ texts: { ...draft.texts, [name]: text } });
    const placeholder = secret && same && secrets.includes(name) ? "set; type to replace it" : "";
    const typing = { placeholder, value, spellcheck: false, onInput: (event: InputEvent) => put(textOf(event)) };
    const typed = secret ? (
      <input type="password" autocomplete="new-password" {...typing} />
    ) : (
      <input type="text" autocomplete="off" {...typing} />
    );
    return (
      <Field key={name} label={label} error={errors[`target.${name}`]} hint={hint} wide={name !== "port" && !choices}>
        {choices ? (
          <select value={value} onChange={(event) => put(event.currentTarget.value)}>
            {choices.map((choice) => (
              <option key={choice} value={choice}>
                {choice}
              </option>
            ))}
          </select>
        ) : (
          typed
        )}
      </Field>
    );
  });
}

const textOf = (event: InputEvent): string => (event.currentTarget as HTMLInputElement).value;
