// The dialog in which a route is written. What it does not show, such as hours and escalation, stays as it is.
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { routeWords } from "../alerts/telling.ts";
import { slug } from "../alerts/words.ts";
import { request } from "../api/client.ts";
import type { StoredRoute } from "../api/types.gen.ts";
import { Field } from "../shell/field.tsx";
import { CloseIcon } from "../shell/icons.tsx";
import { useSending } from "../shell/sending.ts";
import { type Draft, draftOf, FRESH, routeOf } from "./route_draft.ts";
import { channels } from "./telling.ts";

interface RouteEditorProps {
  /** Null: a new one. */
  stored: StoredRoute | null;
  onClosed: () => void;
}

const SHOWN = ["id", "name", "channels", "match.hosts", "match.tags", "match.rules", "repeat_s"];

export function RouteEditor({ stored, onClosed }: RouteEditorProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const draft = useSignal<Draft>(stored ? draftOf(stored.route) : FRESH);
  const { busy, failure, send } = useSending();
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const errors = Object.fromEntries((failure?.fields ?? []).map((one) => [one.field.replace(/\[.*$/, ""), one.reason]));
  const general = failure && !SHOWN.some((name) => errors[name]) ? failure.message : null;
  useEffect(() => {
    if (failure) dialog.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [failure]);

  const set = (change: Partial<Draft>) => {
    draft.value = { ...draft.value, ...change };
  };
  const made = () => routeOf({ ...draft.value, id: draft.value.id || slug(draft.value.name) });
  async function save(event: Event): Promise<void> {
    event.preventDefault();
    const route = made();
    const done = await send(() =>
      stored
        ? request("PUT", `/routes/${route.id}`, { body: route, version: stored.version })
        : request("POST", "/routes", { body: route }),
    );
    if (done) dialog.current?.close();
  }
  const text = (name: "name" | "hosts" | "tags" | "rules" | "repeat_h") => ({
    name,
    value: draft.value[name],
    autocomplete: "off",
    spellcheck: false,
    onInput: (event: InputEvent) => set({ [name]: (event.currentTarget as HTMLInputElement).value }),
  });
  const check = (name: "send_resolved" | "further" | "enabled", label: string) => (
    <label class="check wide-field">
      <input
        type="checkbox"
        name={name}
        checked={draft.value[name]}
        onChange={(event) => set({ [name]: event.currentTarget.checked })}
      />
      {label}
    </label>
  );
  return (
    <dialog ref={dialog} class="editor" aria-labelledby="route-title" onClose={onClosed}>
      <form noValidate onSubmit={(event) => void save(event)}>
        <header>
          <h2 id="route-title">{stored ? `Route ${stored.route.id}` : "New route"}</h2>
          <button type="button" class="quiet" onClick={() => dialog.current?.close()} aria-label="Close">
            <CloseIcon />
          </button>
        </header>
        <div class="fields">
          <Field label="Name" error={errors.name ?? errors.id} wide>
            <input {...text("name")} maxLength={120} autofocus />
          </Field>
          <Field label="Hosts" error={errors["match.hosts"]} hint="web-* is each that begins so">
            <input {...text("hosts")} placeholder="all" />
          </Field>
          <Field label="With the tags" error={errors["match.tags"]} hint="all of them">
            <input {...text("tags")} placeholder="any" />
          </Field>
          <Field label="Rules" error={errors["match.rules"]} hint="their ids">
            <input {...text("rules")} placeholder="all" />
          </Field>
          <Field label="Severity">
            <select
              name="severity"
              value={draft.value.severity}
              onChange={(event) => set({ severity: event.currentTarget.value as Draft["severity"] })}
            >
              <option value="any">any</option>
              <option value="warning">warning</option>
              <option value="critical">critical</option>
            </select>
          </Field>
          <ChannelChoice draft={draft.value} error={errors.channels} set={set} />
          <Field label="Remind every" error={errors.repeat_s} hint="0: never" unit="h">
            <input {...text("repeat_h")} inputMode="decimal" />
          </Field>
          {check("send_resolved", "Tell of ends, too")}
          {check("further", "Try later routes, too")}
          {check("enabled", "Enabled")}
        </div>
        <p class="preview">{routeWords(made())}</p>
        {general && (
          <p class="notice bad" role="alert">
            {failure?.status === 412 ? "Somebody changed this route meanwhile. Close this, and look again." : general}
          </p>
        )}
        <footer>
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class="primary">
            {busy ? "Saving …" : stored ? "Save route" : "Create route"}
          </button>
        </footer>
      </form>
    </dialog>
  );
}

interface ChannelChoiceProps {
  draft: Draft;
  error: string | undefined;
  set: (change: Partial<Draft>) => void;
}

function ChannelChoice({ draft, error, set }: ChannelChoiceProps) {
  const there = channels.state.value.value?.channels.map(({ channel }) => channel) ?? [];
  return (
    <fieldset class="pair wide-field">
      <legend>Tells</legend>
      {there.length === 0 && <p class="hint">There is no channel yet: nobody is told.</p>}
      {there.map((channel) => (
        <label key={channel.id} class="check">
          <input
            type="checkbox"
            checked={draft.channels.includes(channel.id)}
            onChange={(event) => {
              const others = draft.channels.filter((id) => id !== channel.id);
              set({ channels: event.currentTarget.checked ? [...others, channel.id] : others });
            }}
          />
          {channel.name}
        </label>
      ))}
      {error && <p class="error">{error}</p>}
    </fieldset>
  );
}
