// The dialog in which a channel is written. Its secrets are typed and never shown; an empty one stays as it is.
import { channels } from "../alerts/channels.ts";
import { KINDS } from "../alerts/telling.ts";
import { slug } from "../alerts/words.ts";
import type { StoredChannel } from "../api/types.gen.ts";
import { useEditing } from "../shell/editing.ts";
import { EditorDialog } from "../shell/editor_dialog.tsx";
import { Field } from "../shell/field.tsx";
import { channelOf, channelWords, type Draft, draftOf, FIELDS, FRESH, faultsOf } from "./channel_draft.ts";

interface ChannelEditorProps {
  /** Null: a new one. */
  stored: StoredChannel | null;
  onClosed: () => void;
}

export function ChannelEditor({ stored, onClosed }: ChannelEditorProps) {
  const editing = useEditing<StoredChannel, Draft>({
    what: "channel",
    stored,
    fresh: FRESH,
    draftOf: ({ channel, secrets }) => draftOf(channel, secrets),
    collection: "/channels",
    idOf: ({ channel }) => channel.id,
    bodyOf: (draft) => channelOf({ ...draft, id: draft.id || slug(draft.name) }),
    faultsOf,
  });
  const { draft, errors, set, theirs } = editing;
  const shown = ["id", "name", "fallback", ...FIELDS[draft.kind].map(({ name }) => `target.${name}`)];
  const others = (channels.state.value.value?.channels ?? []).filter(({ channel }) => channel.id !== draft.id);
  return (
    <EditorDialog
      title={stored ? `Channel ${stored.channel.id}` : "New channel"}
      what={stored ? `the channel “${stored.channel.name}”` : "the new channel"}
      dirty={editing.dirty}
      busy={editing.busy}
      submit={stored ? "Save channel" : "Create channel"}
      general={shown.some((name) => errors[name]) ? null : editing.refusal}
      failures={editing.failures}
      theirs={theirs && `Somebody changed this channel meanwhile: ${channelWords(theirs.channel)}`}
      onSave={editing.save}
      onTake={editing.take}
      onOverwrite={editing.overwrite}
      onClosed={onClosed}
    >
      <div class="fields">
        <Field label="Name" error={errors.name ?? errors.id} wide>
          <input
            name="name"
            autocomplete="off"
            autofocus
            maxLength={120}
            value={draft.name}
            onInput={(event) => set({ name: event.currentTarget.value })}
          />
        </Field>
        <Field label="Kind" wide>
          <select
            name="kind"
            value={draft.kind}
            onChange={(event) => set({ kind: event.currentTarget.value as Draft["kind"] })}
          >
            {Object.entries(KINDS).map(([kind, words]) => (
              <option key={kind} value={kind}>
                {words}
              </option>
            ))}
          </select>
        </Field>
        <TargetFields draft={draft} errors={errors} set={set} />
        <Field label="While it is held" error={errors.fallback} hint="who is told when nothing can be sent here" wide>
          <select
            name="fallback"
            value={draft.fallback}
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
            checked={draft.enabled}
            onChange={(event) => set({ enabled: event.currentTarget.checked })}
          />
          Enabled
        </label>
      </div>
    </EditorDialog>
  );
}

interface TargetFieldsProps {
  draft: Draft;
  errors: Readonly<Record<string, string>>;
  set: (change: Partial<Draft>) => void;
}

function TargetFields({ draft, errors, set }: TargetFieldsProps) {
  const same = draft.kept?.target.kind === draft.kind;
  return FIELDS[draft.kind].map(({ name, label, hint, secret, otherwise, choices }) => {
    const value = draft.texts[name] ?? "";
    const put = (text: string) => set({ texts: { ...draft.texts, [name]: text } });
    const placeholder = secret && same && draft.secrets.includes(name) ? "set; type to replace it" : (otherwise ?? "");
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
