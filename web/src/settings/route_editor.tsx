// The dialog in which a route is written: which alerts, whom it tells, when, and what happens when nobody acknowledges.
import { MATCH_FIELDS, MatchFields } from "../alerts/match_fields.tsx";
import { routeWords } from "../alerts/telling.ts";
import { slug } from "../alerts/words.ts";
import type { StoredRoute } from "../api/types.gen.ts";
import { useEditing } from "../shell/editing.ts";
import { EditorDialog } from "../shell/editor_dialog.tsx";
import { Field } from "../shell/field.tsx";
import { ChannelChoice } from "./channel_choice.tsx";
import { GROUPING_FIELDS, GroupingFields } from "./grouping_fields.tsx";
import { HoursFields } from "./hours_fields.tsx";
import { type Draft, draftOf, FRESH, faultsOf, routeOf } from "./route_draft.ts";

interface RouteEditorProps {
  /** Null: a new one. */
  stored: StoredRoute | null;
  onClosed: () => void;
}

const SHOWN = [
  ...["id", "name", "channels", "repeat_s", "hours.spans", "hours.zone", "escalation.after_s", "escalation.channels"],
  ...GROUPING_FIELDS,
  ...MATCH_FIELDS,
];

const made = (draft: Draft) => routeOf({ ...draft, id: draft.id || slug(draft.name) });

export function RouteEditor({ stored, onClosed }: RouteEditorProps) {
  const editing = useEditing<StoredRoute, Draft>({
    what: "route",
    stored,
    fresh: FRESH,
    draftOf: ({ route }) => draftOf(route),
    collection: "/routes",
    idOf: ({ route }) => route.id,
    bodyOf: made,
    faultsOf,
  });
  const { draft, errors, set, theirs } = editing;
  const text = (name: "name" | "repeat_h" | "escalation_min") => ({
    name,
    value: draft[name],
    autocomplete: "off",
    spellcheck: false,
    onInput: (event: InputEvent) => set({ [name]: (event.currentTarget as HTMLInputElement).value }),
  });
  const check = (
    name: "send_resolved" | "further" | "enabled" | "escalates" | "escalation_critical_only",
    label: string,
  ) => (
    <label class="check wide-field">
      <input
        type="checkbox"
        name={name}
        checked={draft[name]}
        onChange={(event) => set({ [name]: event.currentTarget.checked })}
      />
      {label}
    </label>
  );
  return (
    <EditorDialog
      title={stored ? `Route ${stored.route.id}` : "New route"}
      what={stored ? `the route “${stored.route.name}”` : "the new route"}
      dirty={editing.dirty}
      busy={editing.busy}
      submit={stored ? "Save route" : "Create route"}
      general={SHOWN.some((name) => errors[name]) ? null : editing.refusal}
      failures={editing.failures}
      theirs={theirs && `Somebody changed this route meanwhile: ${routeWords(theirs.route)}`}
      onSave={editing.save}
      onTake={editing.take}
      onOverwrite={editing.overwrite}
      onClosed={onClosed}
    >
      <div class="fields">
        <Field label="Name" error={errors.name ?? errors.id} wide>
          <input {...text("name")} maxLength={120} autofocus />
        </Field>
        <MatchFields draft={draft} errors={errors} set={set} />
        <ChannelChoice
          legend="Tells"
          chosen={draft.channels}
          error={errors.channels}
          onChange={(channels) => set({ channels })}
        />
        <Field label="Remind every" error={errors.repeat_s} hint="0: never" unit="h">
          <input {...text("repeat_h")} inputMode="decimal" />
        </Field>
        <GroupingFields draft={draft} errors={errors} set={set} />
        {check("send_resolved", "Also notify when it resolves")}
        {check("further", "Try later routes, too")}
        <HoursFields draft={draft} errors={errors} set={set} />
        {check("escalates", "Tell others, too, when nobody acknowledges")}
        {draft.escalates && (
          <>
            <Field label="After" error={errors["escalation.after_s"]} unit="min">
              <input {...text("escalation_min")} inputMode="decimal" />
            </Field>
            <ChannelChoice
              legend="Then tells"
              chosen={draft.escalation_channels}
              error={errors["escalation.channels"]}
              onChange={(escalation_channels) => set({ escalation_channels })}
            />
            {check("escalation_critical_only", "Only of what is critical")}
          </>
        )}
        {check("enabled", "Enabled")}
      </div>
      <p class="preview">{routeWords(made(draft))}</p>
    </EditorDialog>
  );
}
