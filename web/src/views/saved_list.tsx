// The list of one's saved views: open one, rename, delete and bring back, put in order.
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { SavedView } from "../api/types.gen.ts";
import { FLEET } from "../places.ts";
import { startPage } from "../preferences.ts";
import { DownIcon, UpIcon } from "../shell/icons.tsx";
import { Loaded } from "../shell/loaded.tsx";
import { useSending } from "../shell/sending.ts";
import { bringBackView, deleteView, orderViews, renameView, views } from "./data.ts";
import { addressHere, isSame } from "./words.ts";

export function SavedList({ onOpen }: { onOpen: () => void }) {
  const editing = useSignal(false);
  /** The one that was deleted last with the place it had, until it is brought back. */
  const deleted = useSignal<{ view: SavedView; at: number } | null>(null);
  const { failure, send } = useSending();
  async function remove(view: SavedView, at: number): Promise<void> {
    if (await send(() => deleteView(view))) deleted.value = { view, at };
  }
  async function bringBack({ view, at }: { view: SavedView; at: number }): Promise<void> {
    if (await send(() => bringBackView(view, at))) deleted.value = null;
  }
  return (
    <>
      <Loaded from={views} what="Your views">
        {(all) =>
          all.length === 0 ? (
            <p class="muted">None yet. Any page can be saved as it is, with its search, range and charts.</p>
          ) : (
            <>
              <ol class={editing.value ? "editing" : ""}>
                {all.map((view, at) => (
                  <li key={view.id} data-view={view.name}>
                    {editing.value ? (
                      <Edited view={view} all={all} at={at} onDelete={() => void remove(view, at)} />
                    ) : (
                      <Link view={view} onOpen={onOpen} />
                    )}
                  </li>
                ))}
              </ol>
              <button
                type="button"
                class="quiet"
                aria-pressed={editing.value}
                onClick={() => {
                  editing.value = !editing.value;
                }}
              >
                {editing.value ? "Done" : "Rename, order, delete"}
              </button>
            </>
          )
        }
      </Loaded>
      <p role="status" class={failure ? "error" : "muted"}>
        {failure?.message}
        {!failure && deleted.value && (
          <>
            “{deleted.value.view.name}” is deleted.{" "}
            <button type="button" class="quiet" onClick={() => deleted.value && void bringBack(deleted.value)}>
              Bring it back
            </button>
          </>
        )}
      </p>
    </>
  );
}

function Link({ view, onOpen }: { view: SavedView; onOpen: () => void }) {
  return (
    <a
      href={view.path === "/" ? FLEET : view.path}
      onClick={onOpen}
      aria-current={isSame(view.path, addressHere(location)) ? "page" : undefined}
    >
      {view.name}
      {isSame(startPage.value, view.path) && <small> opens first</small>}
    </a>
  );
}

interface EditedProps {
  view: SavedView;
  all: readonly SavedView[];
  at: number;
  onDelete: () => void;
}

function Edited({ view, all, at, onDelete }: EditedProps) {
  const naming = useSignal(false);
  const { busy, failure, send } = useSending();
  function move(by: number): void {
    const ids = all.map((one) => one.id);
    ids.splice(at, 1);
    ids.splice(at + by, 0, view.id);
    void send(() => orderViews(ids));
  }
  if (naming.value)
    return (
      <Rename
        view={view}
        onDone={() => {
          naming.value = false;
        }}
      />
    );
  return (
    <>
      <span>{view.name}</span>
      <button
        type="button"
        class="quiet"
        disabled={at === 0 || busy}
        aria-label={`${view.name} up`}
        onClick={() => move(-1)}
      >
        <UpIcon />
      </button>
      <button
        type="button"
        class="quiet"
        disabled={at === all.length - 1 || busy}
        aria-label={`${view.name} down`}
        onClick={() => move(1)}
      >
        <DownIcon />
      </button>
      <button
        type="button"
        class="quiet"
        onClick={() => {
          naming.value = true;
        }}
      >
        Rename<span class="hidden"> {view.name}</span>
      </button>
      <button type="button" class="quiet danger" onClick={onDelete}>
        Delete<span class="hidden"> {view.name}</span>
      </button>
      {failure && (
        <p class="error" role="alert">
          {failure.message}
        </p>
      )}
    </>
  );
}

function Rename({ view, onDone }: { view: SavedView; onDone: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const { failure, send } = useSending();
  // Before the next key, which belongs into it.
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  async function rename(event: Event): Promise<void> {
    event.preventDefault();
    const name = field.current?.value.trim() ?? "";
    if (name !== "" && (name === view.name || (await send(() => renameView(view, name))))) onDone();
  }
  return (
    <form class="rename" onSubmit={(event) => void rename(event)}>
      <input ref={field} aria-label={`New name of ${view.name}`} defaultValue={view.name} maxLength={80} required />
      <button type="submit">Rename</button>
      <button type="button" class="quiet" onClick={onDone}>
        Cancel
      </button>
      {failure && (
        <p class="error" role="alert">
          {failure.message}
        </p>
      )}
    </form>
  );
}
