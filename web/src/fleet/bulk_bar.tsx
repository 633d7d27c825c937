// What can be done with the selected hosts. It stays at the bottom of the screen while any are selected.
import { signal, useSignal } from "@preact/signals";
import { get, reasonOf } from "../api/client.ts";
import type { Hosts } from "../api/types.gen.ts";
import { now } from "../live/session.ts";
import { Action } from "../shell/allowed.tsx";
import { CloseIcon } from "../shell/icons.tsx";
import { lazy } from "../shell/lazy.tsx";
import { compareHref, MOST_COMPARED, MOST_SILENCED } from "./bulk.ts";
import { csvOf, exported, fileName } from "./csv.ts";
import { selectAll, selected, selectNone } from "./selection.ts";
import { groups, metrics, shown } from "./shown.ts";
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
          <Export ids={ids} />
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

/** The latest values as the gateway knows them: the page itself has only those that it shows. */
function Export({ ids }: { ids: readonly string[] }) {
  const busy = useSignal(false);
  const error = useSignal<string | null>(null);
  async function save(): Promise<void> {
    if (busy.value) return;
    busy.value = true;
    error.value = null;
    const paths = exported(metrics.peek());
    try {
      const { hosts } = await get<Hosts>(`/hosts?metrics=${paths.join()}`);
      const wanted = new Set(ids);
      const text = csvOf(
        hosts.filter(({ id }) => wanted.has(id)),
        paths,
      );
      download(text, fileName(now.peek()));
    } catch (reason) {
      error.value = reasonOf(reason);
    } finally {
      busy.value = false;
    }
  }
  return (
    <>
      <button type="button" aria-disabled={busy.value} onClick={() => void save()}>
        Export
      </button>
      {error.value !== null && (
        <p class="tone-critical" role="alert">
          Not exported: {error.value}
        </p>
      )}
    </>
  );
}

/** Hands a text to the browser as a file. */
function download(text: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
