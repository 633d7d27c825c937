// What can be done with the selected hosts. It stays at the bottom of the screen while any are selected.
import { signal } from "@preact/signals";
import { fleet } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { Action } from "../shell/allowed.tsx";
import { CloseIcon } from "../shell/icons.tsx";
import { lazy } from "../shell/lazy.tsx";
import { compareHref, MOST_COMPARED, MOST_SILENCED } from "./bulk.ts";
import { csvOf } from "./csv.ts";
import { selectAll, selected, selectNone } from "./selection.ts";
import { groups, shown } from "./shown.ts";
import "../style/bulk.css";

const BulkDialog = lazy("the form", async () => (await import("./bulk_dialog.tsx")).BulkDialog);
const SilenceHosts = lazy("the form", async () => (await import("./silence_hosts.tsx")).SilenceHosts);

export type Doing = "tag" | "mute" | "archive";
const doing = signal<Doing | "silence" | null>(null);

export function BulkBar() {
  const ids = selected.value;
  const order = groups.value.flatMap(({ hosts }) => hosts.map(({ id }) => id));
  const seen = new Set(order);
  const hidden = ids.filter((id) => !seen.has(id)).length;
  const closed = () => {
    doing.value = null;
  };
  const begin = (what: Doing | "silence") => () => {
    doing.value = what;
  };
  return (
    <>
      <section class="bulk-bar panel" aria-label="Selected hosts">
        <p role="status">
          <b>{ids.length}</b> selected{hidden > 0 && <small> ({hidden} not shown)</small>}
        </p>
        {ids.length < seen.size && (
          <button
            type="button"
            class="quiet all"
            onClick={() =>
              selectAll(
                shown.peek().map(({ id }) => id),
                true,
              )
            }
          >
            All {seen.size}
          </button>
        )}
        <div class="bulk-actions">
          <Compare ids={ids} />
          <Action needs="operator" onClick={begin("tag")}>
            Tag
          </Action>
          <Action needs="operator" onClick={begin("mute")}>
            Mute
          </Action>
          {ids.length <= MOST_SILENCED ? (
            <Action needs="operator" onClick={begin("silence")}>
              Silence
            </Action>
          ) : (
            <Beyond
              words="Silence"
              reason={`A silence names at most ${MOST_SILENCED} hosts; tag them and silence the tag`}
            />
          )}
          <button type="button" onClick={() => save(ids)}>
            Export
          </button>
          <Action needs="admin" class="danger" onClick={begin("archive")}>
            Archive
          </Action>
        </div>
        <button type="button" class="quiet" aria-label="Select none" title="Select none (Escape)" onClick={selectNone}>
          <CloseIcon />
        </button>
      </section>
      {doing.value === "silence" && <SilenceHosts ids={ids} onClosed={closed} />}
      {doing.value !== null && doing.value !== "silence" && (
        <BulkDialog key={doing.value} what={doing.value} ids={ids} onClosed={closed} />
      )}
    </>
  );
}

function Compare({ ids }: { ids: readonly string[] }) {
  if (ids.length > MOST_COMPARED)
    return <Beyond words="Compare" reason={`At most ${MOST_COMPARED} hosts can be compared`} />;
  return (
    <a class="button" href={compareHref(ids)}>
      Compare
    </a>
  );
}

/** Says why something cannot be done with so many. */
function Beyond({ words, reason }: { words: string; reason: string }) {
  return (
    <button type="button" class="withheld" aria-disabled="true" title={reason} data-reason={reason}>
      {words}
      <span class="hidden">. {reason}</span>
    </button>
  );
}

/** Hands the latest values of hosts to the browser as a file. */
function save(ids: readonly string[]): void {
  const hosts = ids.map((id) => fleet.entries.get(id) as Entry);
  const text = csvOf(hosts.map(({ host, latest, lastSample }) => ({ host: host.peek(), latest, lastSample })));
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = "hosts.csv";
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
