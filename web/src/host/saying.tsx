// What people say of a host, beside its name, and the way to change it.
import { useSignal } from "@preact/signals";
import { get, reasonOf } from "../api/client.ts";
import type { HostDetail } from "../api/types.gen.ts";
import { minute } from "../live/every.ts";
import type { Entry } from "../live/store.ts";
import { lacking } from "../login/me.ts";
import { Action } from "../shell/allowed.tsx";
import { lazy } from "../shell/lazy.tsx";
import { useOpening } from "../shell/opening.ts";
import { mutedWords } from "./muted.ts";

const SaidEditor = lazy("the form", async () => (await import("./said_editor.tsx")).SaidEditor);

export function Saying({ entry }: { entry: Entry }) {
  const { id, label, tags, muted_until } = entry.host.value;
  const edited = useSignal<HostDetail | null>(null);
  const error = useSignal<string | null>(null);
  const muted = mutedWords(muted_until, minute.value);

  async function edit(): Promise<void> {
    error.value = null;
    try {
      edited.value = await get<HostDetail>(`/hosts/${encodeURIComponent(id)}`);
    } catch (reason) {
      error.value = reasonOf(reason);
    }
  }
  useOpening("edit", "said", lacking("operator") === null, () => void edit());
  return (
    <>
      {label && <span class="muted">{id}</span>}
      {tags.length > 0 && (
        <ul class="said-tags" aria-label="Tags">
          {tags.map((tag) => (
            <li key={tag}>
              <a href={`/?q=${encodeURIComponent(`tag:${tag}`)}`}>{tag}</a>
            </li>
          ))}
        </ul>
      )}
      {muted && (
        <span class="said-muted" data-muted>
          {muted}
        </span>
      )}
      <Action needs="operator" class="quiet" onClick={() => void edit()}>
        Edit
        <span class="hidden"> label, tags and notifications of {id}</span>
      </Action>
      {error.value !== null && (
        <span class="tone-critical" role="alert">
          {error.value}
        </span>
      )}
      {edited.value && (
        <SaidEditor
          host={edited.value}
          onClosed={() => {
            edited.value = null;
          }}
        />
      )}
    </>
  );
}
