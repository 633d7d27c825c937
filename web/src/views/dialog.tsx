// One's saved views: open one, save the page in view under a name, rename, delete, put in order, choose the one to begin with.
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { SavedView } from "../api/types.gen.ts";
import { overlay } from "../palette/open.ts";
import { CloseIcon, DownIcon, UpIcon } from "../shell/icons.tsx";
import { Loaded } from "../shell/loaded.tsx";
import { useSending } from "../shell/sending.ts";
import { deleteView, hasAccount, orderViews, renameView, saveView, views } from "./data.ts";
import { startPage } from "./start.ts";
import { isSame, lasting, proposedName } from "./words.ts";
import "../style/views.css";

export function ViewsDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const close = () => dialog.current?.close();
  useLayoutEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    if (hasAccount()) views.load();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="question saved-views"
      aria-labelledby="views"
      closedby="any"
      onClose={() => {
        if (overlay.peek() === "views") overlay.value = null;
      }}
    >
      <header>
        <h2 id="views">Saved views</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={close}>
          <CloseIcon />
        </button>
      </header>
      {hasAccount() ? <Mine onOpen={close} /> : <p>Log in to save views: they are kept with your account.</p>}
    </dialog>
  );
}

/** The address of the page behind the dialog. */
const addressHere = (): string => lasting(`${location.pathname}${location.search}`);

function Mine({ onOpen }: { onOpen: () => void }) {
  const editing = useSignal(false);
  /** The one that was deleted last, until it is brought back. */
  const deleted = useSignal<SavedView | null>(null);
  const { failure, send } = useSending();
  async function remove(view: SavedView): Promise<void> {
    if (await send(() => deleteView(view))) deleted.value = view;
  }
  async function bringBack({ name, path }: SavedView): Promise<void> {
    if (await send(() => saveView(name, path))) deleted.value = null;
  }
  return (
    <>
      <Save />
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
                      <Edited view={view} all={all} at={at} onDelete={() => void remove(view)} />
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
            “{deleted.value.name}” is deleted.{" "}
            <button type="button" class="quiet" onClick={() => void bringBack(deleted.value as SavedView)}>
              Bring it back
            </button>
          </>
        )}
      </p>
      <StartPage />
    </>
  );
}

function Link({ view, onOpen }: { view: SavedView; onOpen: () => void }) {
  return (
    <a href={view.path} onClick={onOpen} aria-current={isSame(view.path, addressHere()) ? "page" : undefined}>
      {view.name}
      {isSame(startPage.value, view.path) && <small> opens first</small>}
    </a>
  );
}

function Save() {
  const name = useSignal(proposedName(addressHere()));
  const saved = useSignal("");
  const { busy, failure, send } = useSending();
  const all = views.state.value.value ?? [];
  const over = all.some((view) => view.name === name.value.trim());
  async function save(event: Event): Promise<void> {
    event.preventDefault();
    const wanted = name.value.trim();
    if (wanted !== "" && (await send(() => saveView(wanted, addressHere())))) saved.value = `Saved as “${wanted}”.`;
  }
  return (
    <form class="save-view" onSubmit={(event) => void save(event)}>
      <label for="view-name">Save this page as</label>
      <div>
        <input
          id="view-name"
          value={name.value}
          maxLength={80}
          required
          autocomplete="off"
          onInput={({ currentTarget: { value } }) => {
            name.value = value;
            saved.value = "";
          }}
        />
        <button type="submit" class="primary">
          {busy ? "Saving …" : over ? "Save over it" : "Save"}
        </button>
      </div>
      <p role="status" class={failure ? "error" : "muted"}>
        {failure?.message ?? saved.value}
      </p>
    </form>
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

/** Which page opens first: the fleet, this one, or a saved one. */
function StartPage() {
  const here = addressHere();
  const all = views.state.value.value ?? [];
  const choices: [path: string, words: string][] = [
    ["/", "The fleet"],
    ...all.map((view): [string, string] => [view.path, view.name]),
  ];
  if (!choices.some(([path]) => isSame(path, here))) choices.push([here, `This page: ${proposedName(here)}`]);
  const now = startPage.value;
  if (!choices.some(([path]) => isSame(path, now))) choices.push([now, proposedName(now)]);
  return (
    <label class="start-page">
      Opens first
      <select
        value={choices.find(([path]) => isSame(path, now))?.[0] ?? "/"}
        onChange={({ currentTarget: { value } }) => {
          startPage.value = value;
        }}
      >
        {choices.map(([path, words]) => (
          <option key={path} value={path}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}
