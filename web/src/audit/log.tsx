// The entries that were asked for, and a way to older ones.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { AuditEntries, AuditEntry } from "../api/types.gen.ts";
import { moment, recent } from "../format.ts";
import { minute } from "../live/every.ts";
import { differences } from "../people/diff.ts";
import { Loaded } from "../shell/loaded.tsx";
import { useSending } from "../shell/sending.ts";
import { Nothing } from "../shell/states.tsx";
import { deedWords, valueWords, wayWords } from "./words.ts";

/** Entries a page. */
const LIMIT = 50;

interface LogProps {
  who: string;
  target: string;
}

export function Log({ who, target }: LogProps) {
  const page = (cursor: string | null, signal?: AbortSignal) => {
    const asked = new URLSearchParams({ limit: String(LIMIT) });
    for (const [name, value] of Object.entries({ who, target, cursor: cursor ?? "" }))
      if (value) asked.set(name, value);
    return get<AuditEntries>(`/audit?${asked}`, signal);
  };
  const first = useMemo(() => loader((signal) => page(null, signal)), [who, target]);
  useEffect(() => {
    first.load();
    return first.close;
  }, [first]);
  const older = useSignal<AuditEntry[]>([]);
  /** Where the entries after `older` begin; undefined while there are none of those. */
  const next = useSignal<string | null | undefined>(undefined);
  const { busy, failure, send } = useSending();

  const more = (cursor: string) =>
    send(async () => {
      const got = await page(cursor);
      older.value = [...older.value, ...got.entries];
      next.value = got.next;
    });
  return (
    <Loaded from={first} what="The audit log">
      {(got) => {
        const entries = [...got.entries, ...older.value];
        const cursor = next.value === undefined ? got.next : next.value;
        if (entries.length === 0)
          return (
            <Nothing>{who || target ? "Nothing was found: names must be whole." : "Nothing was changed yet."}</Nothing>
          );
        return (
          <>
            <ol class="log panel">
              {entries.map((entry) => (
                <Entry key={entry.id} entry={entry} />
              ))}
            </ol>
            {failure && (
              <p class="error" role="alert">
                {failure.message}
              </p>
            )}
            {cursor !== null ? (
              <button type="button" class="older" onClick={() => void more(cursor)}>
                {busy ? "Loading …" : "Older"}
              </button>
            ) : (
              <p class="muted">This is where the log begins.</p>
            )}
          </>
        );
      }}
    </Loaded>
  );
}

function Entry({ entry }: { entry: AuditEntry }) {
  const changed = differences(entry.before, entry.after);
  const way = [wayWords(entry.by), entry.address && `from ${entry.address}`].filter(Boolean).join(" ");
  return (
    <li class="entry" data-audit={entry.id}>
      <time dateTime={new Date(entry.time).toISOString()} title={moment(entry.time)}>
        {recent(entry.time, minute.value)}
      </time>
      <p class="deed">
        <b>{entry.who}</b> <span title={entry.action}>{deedWords(entry)}</span>{" "}
        {entry.target && <code>{entry.target}</code>}
        {way && <span class="muted"> {way}</span>}
      </p>
      {changed.length > 0 && (
        <dl class={`diff ${entry.before === null || entry.after === null ? "whole" : ""}`}>
          {changed.map(({ path, before, after }) => (
            <div key={path}>
              <dt>{path || "value"}</dt>
              <dd>
                {before !== undefined && (
                  <del>
                    <span class="hidden">was </span>
                    {valueWords(before, path)}
                  </del>
                )}
                {after !== undefined && (
                  <ins>
                    <span class="hidden">is now </span>
                    {valueWords(after, path)}
                  </ins>
                )}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  );
}
