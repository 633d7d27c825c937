// The dialog in which a rule is written. It shows what the rule looks at, says in words what it will do, and tells everything
// wrong at once and where.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { metricOf } from "../api/catalogue.ts";
import type { StoredRule } from "../api/types.gen.ts";
import { fleet } from "../live/session.ts";
import { base } from "../preferences.ts";
import { Boundary } from "../shell/boundary.tsx";
import { EditorDialog } from "../shell/editor_dialog.tsx";
import { draftFrom } from "./begun.ts";
import { type Draft, draftOf, FRESH, faultsOf, ruleOf } from "./draft.ts";
import { RuleFields } from "./fields.tsx";
import { usePlaying } from "./playing.ts";
import { Rehearsing } from "./rehearsing.tsx";
import { RuleChart } from "./rule_chart.tsx";
import { useSaving } from "./saving.ts";
import { fits } from "./thresholds.ts";
import { ruleSentence } from "./words.ts";

interface EditorProps {
  /** The rule to change; null for a new one. */
  stored: StoredRule | null;
  /** The address of a new one that begins with a line of a chart; it is tried at once then. */
  line: URLSearchParams | null;
  /** The dialog is closed, and the focus is back where it was before. */
  onClosed: (saved: boolean) => void;
}

/** Hosts to choose from above the chart. */
const MOST_HOSTS = 100;

export function RuleEditor({ stored, line, onClosed }: EditorProps) {
  const begun = useMemo(() => line && draftFrom(line), [line]);
  const before = useSignal<Draft>(stored ? draftOf(stored.rule) : (begun ?? FRESH));
  const draft = useSignal<Draft>(before.value);
  /** The version that a save must still find. */
  const version = useSignal(stored?.version);
  const { save, forget, settle, theirs, ...saving } = useSaving();
  const rule = ruleOf(draft.value);
  const playing = usePlaying(rule);
  const shown = useSignal("");

  // From the first failed save on, what is wrong is told while it is typed.
  const faults = saving.failures > 0 ? { ...saving.refused, ...faultsOf(draft.value) } : {};

  function set(change: Partial<Draft>): void {
    draft.value = { ...draft.value, ...change };
    forget(change);
  }
  function take(): void {
    if (!theirs) return;
    before.value = draftOf(theirs.rule);
    draft.value = before.value;
    version.value = theirs.version;
    settle();
  }
  function overwrite(): Promise<boolean> {
    version.value = theirs?.version;
    return save(draft.value, version.value);
  }
  /** What is tried needs no name yet. */
  const named = () => ({ ...draft.peek(), name: draft.peek().name || "draft" });
  /** Tries again what was tried before, now that a line of it is elsewhere. */
  function again(): void {
    if (playing.played !== null && Object.keys(faultsOf(named())).length === 0) playing.play(ruleOf(draft.peek()));
  }
  useEffect(() => {
    if (begun && Object.keys(faultsOf(begun)).length === 0) playing.play(ruleOf(begun));
  }, []);

  const hosts = metricOf(draft.value.metric)
    ? fleet.ids.value.filter((id) => fits(rule.host, id)).slice(0, MOST_HOSTS)
    : [];
  const fired = playing.played?.told?.outcome?.episodes.find((one) => hosts.includes(one.host))?.host;
  const host = hosts.includes(shown.value) ? shown.value : (fired ?? hosts[0]);
  return (
    <EditorDialog
      title={stored ? `Rule ${stored.rule.id}` : "New rule"}
      what={stored ? `the rule “${stored.rule.name}”` : "the new rule"}
      wide
      dirty={JSON.stringify(draft.value) !== JSON.stringify(before.value)}
      busy={saving.busy}
      submit={stored ? "Save rule" : "Create rule"}
      general={saving.general}
      failures={saving.failures}
      theirs={theirs && `Somebody changed this rule meanwhile: ${ruleSentence(theirs.rule, base())}`}
      onSave={() => save(draft.value, version.value)}
      onTake={take}
      onOverwrite={overwrite}
      onClosed={onClosed}
    >
      {host !== undefined && (
        <Boundary what="The chart">
          <RuleChart
            key={draft.value.metric}
            draft={draft.value}
            host={host}
            hosts={hosts}
            onHost={(id) => {
              shown.value = id;
            }}
            days={playing.days.value}
            played={playing.played}
            set={set}
            onSettled={again}
          />
        </Boundary>
      )}
      <Rehearsing playing={playing} rule={rule} check={() => saving.check(named())} />
      <p class="preview">{ruleSentence(rule, base())}</p>
      <RuleFields draft={draft.value} fresh={!stored} faults={faults} set={set} />
    </EditorDialog>
  );
}
