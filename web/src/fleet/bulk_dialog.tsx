// The dialog before many hosts are changed at once: what is to be changed, and whom that concerns by the gateway's word.
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Failure, reasonOf, request } from "../api/client.ts";
import type { Bulk, BulkResult, BulkResults } from "../api/types.gen.ts";
import { counted } from "../format.ts";
import { MUTES, tagsOf } from "../host/said.ts";
import { fleet } from "../live/session.ts";
import { Field } from "../shell/field.tsx";
import { Question } from "../shell/question.tsx";
import { failedWords, previewWords, requestsFor, tagOffers } from "./bulk.ts";
import type { Doing } from "./bulk_bar.tsx";
import { selectNone } from "./selection.ts";
import { tagCounts } from "./shown.ts";
import "../style/forms.css";

interface BulkDialogProps {
  what: Doing;
  ids: readonly string[];
  onClosed: () => void;
}

type Change = Omit<Bulk, "hosts">;

const WORDS: Record<Doing, [title: string, yes: string]> = {
  tag: ["Tag", "Change tags"],
  mute: ["Mute", "Mute"],
  archive: ["Archive", "Archive"],
};

export function BulkDialog({ what, ids, onClosed }: BulkDialogProps) {
  /** What the form says; null while it says nothing that can be done. */
  const change = useSignal<Change | null>(what === "archive" ? { change: "archive" } : null);
  // The selection may move while the dialog is open; what it asks about does not.
  const hosts = useMemo(() => [...ids], []);
  const [title, yes] = WORDS[what];

  async function act(): Promise<void> {
    if (!change.value) throw new Failure(0, "Type at least one tag to add, or choose one to remove.");
    const failed = failedWords(await ask(hosts, change.value));
    if (failed) throw new Failure(0, failed);
  }
  return (
    <Question
      title={`${title} ${counted(hosts.length)}`}
      yes={change.value?.change === "unmute" ? "Unmute" : yes}
      harmless={what !== "archive"}
      act={act}
      onClosed={(done) => {
        onClosed();
        if (done && what === "archive") selectNone();
      }}
    >
      {what === "tag" && <TagFields hosts={hosts} change={change} />}
      {what === "mute" && <MuteField change={change} />}
      {what === "archive" && (
        <p>
          Their agents are disconnected at once and cannot come back. Alerts on them end. They stay in the fleet with
          their history, until that is too old.
        </p>
      )}
      <Preview hosts={hosts} change={change.value} />
    </Question>
  );
}

async function ask(hosts: readonly string[], change: Change, signal?: AbortSignal): Promise<BulkResult[]> {
  const results: BulkResult[] = [];
  for (const body of requestsFor(hosts, change))
    results.push(...(await request<BulkResults>("POST", "/hosts/bulk", signal ? { body, signal } : { body })).results);
  return results;
}

interface FieldsProps {
  hosts: readonly string[];
  change: Signal<Change | null>;
}

function TagFields({ hosts, change }: FieldsProps) {
  const text = useSignal("");
  const removed = useSignal<readonly string[]>([]);
  const theirs = useMemo(
    () => [...new Set(hosts.flatMap((id) => fleet.entries.get(id)?.host.peek().tags ?? []))].sort(),
    [hosts],
  );
  function tell(): void {
    const added = tagsOf(text.value);
    change.value =
      added.length + removed.value.length > 0
        ? { change: "tag", add_tags: added, remove_tags: [...removed.value] }
        : null;
  }
  return (
    <div class="fields">
      <Field label="Add" hint="Words, with spaces between them" wide>
        <input
          name="add_tags"
          autocomplete="off"
          spellcheck={false}
          list="known-tags"
          value={text.value}
          onInput={({ currentTarget: { value } }) => {
            text.value = value;
            tell();
          }}
        />
      </Field>
      <datalist id="known-tags">
        {tagOffers(text.value, tagCounts.value.keys()).map((offer) => (
          <option key={offer} value={offer} />
        ))}
      </datalist>
      {theirs.length > 0 && (
        <fieldset class="wide-field removed-tags">
          <legend>Remove</legend>
          {theirs.map((tag) => (
            <label key={tag}>
              <input
                type="checkbox"
                checked={removed.value.includes(tag)}
                onChange={({ currentTarget: { checked } }) => {
                  removed.value = checked ? [...removed.value, tag] : removed.value.filter((one) => one !== tag);
                  tell();
                }}
              />
              {tag}
            </label>
          ))}
        </fieldset>
      )}
    </div>
  );
}

type Hours = keyof typeof MUTES;

const muteOf = (hours: string): Change =>
  hours === "off"
    ? { change: "unmute" }
    : { change: "mute", mute_s: hours === "forever" ? "forever" : Number(hours) * 3600 };

function MuteField({ change }: { change: Signal<Change | null> }) {
  const hours = useSignal<string>("1");
  useEffect(() => {
    change.value = muteOf(hours.value);
  }, [change, hours.value]);
  return (
    <div class="fields">
      <Field label="Notifications" hint="Alerts go on and are shown, whether people are notified or not" wide>
        <select
          name="mute"
          value={hours.value}
          onChange={({ currentTarget: { value } }) => {
            hours.value = value;
          }}
        >
          {(Object.keys(MUTES) as Hours[]).map((one) => (
            <option key={one} value={one}>
              {MUTES[one]}
            </option>
          ))}
          <option value="off">Unmute</option>
        </select>
      </Field>
    </div>
  );
}

/** A pause in the typing after which the gateway is asked whom it concerns. */
const PAUSE_MS = 300;

function Preview({ hosts, change }: { hosts: readonly string[]; change: Change | null }) {
  const words = useSignal("");
  const asked = JSON.stringify(change);
  useEffect(() => {
    const wanted = JSON.parse(asked) as Change | null;
    words.value = "";
    if (!wanted) return;
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        words.value = previewWords(await ask(hosts, { ...wanted, dry_run: true }, abort.signal));
      } catch (reason) {
        if (!abort.signal.aborted) words.value = `Could not check which hosts this changes: ${reasonOf(reason)}`;
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [words, hosts, asked]);
  return (
    <p class="preview" role="status">
      {words.value || (change ? "Checking which hosts this changes …" : "")}
    </p>
  );
}
