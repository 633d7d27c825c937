// A screen that nobody touches: saved views one after the other, kept awake, and never a stale number that looks fresh.
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { age, clock } from "../format.ts";
import { connection, known, live, now } from "../live/session.ts";
import { hasAccount } from "../login/me.ts";
import { navigate, path, query, setQuery } from "../router.ts";
import { passing } from "../storage.ts";
import { views } from "../views/data.ts";
import { isSame } from "../views/words.ts";
import { apart, nextPage, offsetAt, onWall, secondsOf } from "./rotation.ts";
import { reloadWhenNeeded, stayAwake } from "./screen.ts";
import "../style/wall.css";

const here = (): string => `${path.peek()}?${query.peek()}`;

/** Under which name the tab keeps when the turn began. */
const TURN = "wall-turn";

export function Wall() {
  const seconds = secondsOf(query.value.get("wall"));
  /** When the turn of the page in view began, also across a reload: a page with a defect is loaded anew, and has its turn all the same. */
  const began = useSignal(Number(passing.read(TURN)) || Date.now());
  useSignalEffect(() => passing.write(TURN, String(began.value)));
  useEffect(() => () => passing.forget(TURN), []);
  useEffect(stayAwake, []);
  useEffect(reloadWhenNeeded, []);
  useEffect(() => {
    if (hasAccount()) views.load();
  }, []);
  useEffect(() => {
    const leave = (event: KeyboardEvent) => {
      // That key closes a dialog first.
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) setQuery({ wall: null });
    };
    addEventListener("keydown", leave);
    return () => removeEventListener("keydown", leave);
  }, []);
  useSignalEffect(() => {
    now.value;
    const elapsed_s = (Date.now() - began.peek()) / 1000;
    const paths = apart(views.state.peek().value ?? []).map(({ path }) => path);
    const next = elapsed_s >= seconds ? nextPage(paths, here()) : null;
    if (next !== null) {
      began.value = Date.now();
      views.refresh();
      scrollTo(0, 0);
      navigate(onWall(next, seconds), { replace: true });
    } else scrollTo(0, offsetAt(elapsed_s, seconds, document.documentElement.scrollHeight, innerHeight));
  });
  return (
    <>
      {!known.value && <Stale />}
      <Strip seconds={seconds} />
    </>
  );
}

/** Over everything, to be read from afar. */
function Stale() {
  const state = connection.value;
  now.value;
  const since = state.kind === "lost" ? state.since : null;
  return (
    <div class="wall-stale" role="alert">
      <strong>Not live</strong>
      <span aria-hidden="true">
        {since === null ? "Nothing is heard." : `What you see is of ${clock(since)}, ${age(Date.now() - since)} ago.`}
      </span>
    </div>
  );
}

function Strip({ seconds }: { seconds: number }) {
  const all = apart(views.state.value.value ?? []);
  query.value;
  const shown = all.findIndex((view) => isSame(view.path, here()));
  return (
    <footer class="wall-strip">
      <b>{all[shown]?.name}</b>
      {shown >= 0 && all.length > 1 && (
        <span class="muted">
          {shown + 1} of {all.length}, {seconds} s each
        </span>
      )}
      <span class={`connection ${live.value ? "live" : "lost"}`}>
        <i />
        {live.value ? "Live" : "Not live"}
      </span>
      <time>{clock(now.value)}</time>
      <button type="button" class="quiet" onClick={() => setQuery({ wall: null })}>
        Leave the wall
      </button>
    </footer>
  );
}
