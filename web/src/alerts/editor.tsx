// The dialog in which a rule is written. It shows what the rule looks at, says in words what it will do, and tells everything
// wrong at once and where.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { metricOf } from "../api/catalogue.ts";
import type { StoredRule } from "../api/types.gen.ts";
import { fleet } from "../live/session.ts";
import { base } from "../preferences.ts";
import { Boundary } from "../shell/boundary.tsx";
import { EditorDialog } from "../shell/editor_dialog.tsx";
import { draftFrom } from "./begun.ts";
import { type Candidate, exceptionFor, hostsToShow } from "./chart_hosts.ts";
import { ruleBodies } from "./data.ts";
import { type Draft, draftOf, FRESH, faultsOf, idOf, ruleOf } from "./draft.ts";
import { RuleFields } from "./fields.tsx";
import { usePlaying } from "./playing.ts";
import { Rehearsing } from "./rehearsing.tsx";
import { RuleChart } from "./rule_chart.tsx";
import { useSaving } from "./saving.ts";
import { ruleSentence } from "./words.ts";

interface EditorProps {
  /** The rule to change; null for a new one. */
  stored: StoredRule | null;
  /** The address of a new one that begins with a line of a chart; it is tried at once then. */
  line: URLSearchParams | null;
  /** The dialog is closed, and the focus is back where it was before. */
  onClosed: (saved: boolean) => void;
}

const candidate = (id: string): Candidate => ({ id, tags: fleet.entries.get(id)?.host.peek().tags ?? [] });

export function RuleEditor({ stored, line, onClosed }: EditorProps) {
  const begun = useMemo(() => line && draftFrom(line), [line]);
  const before = useSignal<Draft>(stored ? draftOf(stored.rule) : (begun ?? FRESH));
  const draft = useSignal<Draft>(before.value);
  /** The version that a save must still find. */
  const version = useSignal(stored?.version);
  const { save, forget, settle, theirs, ...saving } = useSaving();
  const rule = ruleOf(draft.value);
  const taken = ruleBodies.value.map(({ id }) => id);
  const playing = usePlaying(rule);
  /** The host above the chart; empty: nobody has chosen one, and nothing fired yet. */
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
  /** Tries it as it is now, if it makes sense. */
  function again(): void {
    if (Object.keys(faultsOf(named())).length === 0) playing.play(ruleOf(draft.peek()));
  }
  useEffect(() => {
    if (begun && Object.keys(faultsOf(begun)).length === 0) playing.play(ruleOf(begun));
  }, []);

  const outcome = playing.played?.told?.outcome ?? null;
  /** While it is tried again, what was found before stays. */
  const found = useRef(outcome);
  found.current = outcome ?? found.current;
  const episodes = found.current?.episodes;
  // Not for each move of a line: the fleet may be large.
  const about = JSON.stringify([rule.host, rule.tags, rule.without_tags, rule.overrides]);
  const choice = useMemo(
    () => hostsToShow(rule, fleet.ids.value.map(candidate), episodes?.map((one) => one.host) ?? [], shown.value),
    [about, fleet.ids.value, episodes, shown.value],
  );
  const host = choice.hosts.includes(shown.value) ? shown.value : choice.hosts[0];
  useEffect(() => {
    // A host on which it would have fired says more. The one in view then stays, wherever its lines are moved.
    const fired = outcome?.episodes.map((one) => one.host) ?? [];
    if (shown.peek() === "" && host && fired.length > 0) shown.value = fired.includes(host) ? host : (fired[0] ?? "");
  }, [outcome]);
  const isSampled = metricOf(draft.value.metric) !== undefined;
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
      onSave={() => save(stored ? draft.value : { ...draft.value, id: idOf(draft.value, taken) }, version.value)}
      onTake={take}
      onOverwrite={overwrite}
      onClosed={onClosed}
    >
      {host !== undefined && isSampled && (
        <Boundary what="The chart">
          <RuleChart
            key={draft.value.metric}
            draft={draft.value}
            host={host}
            choice={choice}
            inForce={exceptionFor(rule, host, candidate(host).tags)}
            onHost={(id) => {
              shown.value = id;
            }}
            days={playing.days.value}
            found={found.current}
            set={set}
            onSettled={again}
          />
        </Boundary>
      )}
      <Rehearsing playing={playing} rule={rule} check={() => saving.check(named())} onReach={again} />
      <p class="preview">{ruleSentence(rule, base())}</p>
      <RuleFields draft={draft.value} fresh={!stored} taken={taken} faults={faults} set={set} />
    </EditorDialog>
  );
}
